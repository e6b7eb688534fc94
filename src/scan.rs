//! The waist: source, detector and suppressor meet here and nowhere else.
