//! Rule packs: their format, loading and linting.
