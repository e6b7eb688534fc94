//! Values of a shape, and whether a value has one.
//!
//! Must not know: checks. Invariant: what is filled in matches.

use keyfence::rules::Shape;

use super::super::random::Random;

pub const HEX: &[u8] = b"0123456789abcdef";
pub const BASE36: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
pub const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub const BASE64URL: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

/// Longer repeats are cut here: a token of thousands of characters proves nothing that one of a hundred does not.
const LONGEST_STRETCH: usize = 96;

/// Random characters for every item. Programs print hexadecimal digits in one case.
pub fn fill(shape: &Shape, random: &mut Random) -> String {
    let (hex, capitals) = (set(b"0123456789abcdefABCDEF"), random.one_in(8));
    let one_case = set(if capitals { b"0123456789ABCDEF" } else { HEX });
    let mut text = String::new();
    for item in shape.items.iter() {
        let (min, max) = (usize::from(item.min), usize::from(item.max));
        let count = random.between(min, max.min(min + LONGEST_STRETCH));
        let admitted = if item.set == hex { one_case } else { item.set };
        let letters: Vec<u8> = (0..128u8).filter(|&byte| admitted >> byte & 1 == 1).collect();
        text.push_str(&random.text(&letters, count));
    }
    text
}

fn set(letters: &[u8]) -> u128 {
    letters.iter().fold(0, |set, &byte| set | 1 << byte)
}

/// The lengths that values of these shapes can have, up to a bound.
pub fn lengths(shapes: &[Shape]) -> Vec<usize> {
    let mut all: Vec<usize> = shapes
        .iter()
        .flat_map(|shape| {
            let shortest: usize = shape.items.iter().map(|item| usize::from(item.min)).sum();
            shortest..=shape.longest().min(shortest + 4 * LONGEST_STRETCH)
        })
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Whether the whole value has one of the shapes.
pub fn matches(shapes: &[Shape], value: &[u8]) -> bool {
    shapes.iter().any(|shape| {
        // Every place that could be reached after the items so far.
        let mut places = vec![0];
        for item in shape.items.iter() {
            let mut next = Vec::new();
            for start in places {
                let fitting = value[start..]
                    .iter()
                    .take(usize::from(item.max))
                    .take_while(|&&byte| byte < 128 && item.set >> byte & 1 == 1)
                    .count();
                next.extend((usize::from(item.min)..=fitting).map(|count| start + count));
            }
            next.sort_unstable();
            next.dedup();
            places = next;
        }
        places.contains(&value.len())
    })
}
