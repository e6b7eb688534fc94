//! What people allowed: a finding in, exactly one verdict out.
