//! Archives that hold themselves: whoever unpacks what is in them unpacks the same again, for ever.
//!
//! Deflate has two instructions: print what follows, and print again what was printed. Both are written here so that
//! they take a whole number of bytes, and put in an order in which what is printed is the program itself. The sum of the
//! content, which is a part of the content, is solved for: CRC-32 is linear.
//!
//! Must not know: keyfence.

/// The end of a stream.
const LAST_BLOCK: [u8; 2] = [0x03, 0x00];
const CRC_BITS: usize = 32;

/// "Print the next so many bytes."
fn literal(length: usize) -> Vec<u8> {
    let length = u16::try_from(length).expect("literals here are short");
    [&[0][..], &length.to_le_bytes(), &(!length).to_le_bytes()].concat()
}

/// Bits, lowest first.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn number(&mut self, number: usize, bits: usize) {
        self.0.extend((0..bits).map(|bit| number >> bit & 1 == 1));
    }

    /// Codes of Huffman trees come highest bit first.
    fn code(&mut self, code: usize, bits: usize) {
        self.0.extend((0..bits).rev().map(|bit| code >> bit & 1 == 1));
    }

    fn bytes(self) -> Vec<u8> {
        let byte =
            |bits: &[bool]| bits.iter().enumerate().fold(0, |byte, (at, &bit)| byte | u8::from(bit) << at);
        self.0.chunks(8).map(byte).collect()
    }
}

/// The smallest value, the number of extra bits, by the number of a code: how RFC 1951 lays out lengths and distances.
fn laid_out(value: usize, first: usize, per_step: usize) -> (usize, usize, usize) {
    let (mut code, mut base) = (0, first);
    loop {
        let extra = (code / per_step).saturating_sub(1);
        if value < base + (1 << extra) {
            return (code, value - base, extra);
        }
        base += 1 << extra;
        code += 1;
    }
}

/// "Print the last `length` bytes again", in exactly `size` bytes if that is possible, which ends where a byte ends.
fn repeat(length: usize, size: usize) -> Option<Vec<u8>> {
    let mut bits = Bits::default();
    bits.number(0b010, 3);
    for part in [length / 2, length - length / 2] {
        let (code, more, extra) = laid_out(part, 3, 4);
        bits.code(code + 1, 7);
        bits.number(more, extra);
        let (code, more, extra) = laid_out(length, 1, 2);
        bits.code(code, 5);
        bits.number(more, extra);
    }
    bits.code(0, 7);
    // An empty literal brings what follows to the beginning of a byte.
    bits.number(0, 3);
    let bytes = [bits.bytes(), vec![0, 0, 0xff, 0xff]].concat();
    let empty = literal(0).repeat(size.checked_sub(bytes.len())? / 5);
    let bytes = [bytes, empty].concat();
    (bytes.len() == size).then_some(bytes)
}

/// A file that begins with `head`, ends with `tail`, and between them has the program that prints all of it.
fn quine(head: &[u8], tail: &[u8]) -> Vec<u8> {
    // Four instructions are printed at once, and so are the head and its own.
    let size = 16;
    let step = 2 * (size + 5);
    assert_eq!(head.len() + 5, step, "the head has the right length");
    let (print, again) = (literal(step), repeat(step, size).expect("it fits"));
    let four = [&again[..], &print, &again, &print].concat();
    // Instructions that print nothing, as long as is missing: one of six bytes, three of five.
    let nothing = [&[2, 0, 0, 0, 0xff, 0xff][..], &literal(0), &literal(0), &literal(0)].concat();
    let end = [&LAST_BLOCK[..], tail].concat();
    let sizes = 8..20;
    let repeated =
        sizes.into_iter().find_map(|size| repeat(size + end.len(), size)).expect("one of these sizes fits");
    let ending = [repeated, end].concat();
    let rest = [&nothing[..], &literal(ending.len())].concat();
    [
        head, &print, head, &print, &again, &print, &four, &again, &print, &again, &rest, &again, &rest,
        &ending, &ending,
    ]
    .concat()
}

/// Finds the sum that a file has which holds it in these places, and writes it there.
fn with_own_sum(mut file: Vec<u8>, places: &[usize]) -> Option<Vec<u8>> {
    let sum_with = |file: &mut Vec<u8>, sum: u32| {
        for &place in places {
            file[place..place + 4].copy_from_slice(&sum.to_le_bytes());
        }
        crc32fast::hash(file)
    };
    let zero = sum_with(&mut file, 0);
    // Each row: which bits of the sum make this bit of the equation `sum of (sum) = sum`, and its right side.
    let columns: Vec<u32> =
        (0..CRC_BITS).map(|bit| sum_with(&mut file, 1 << bit) ^ zero ^ 1 << bit).collect();
    let row = |bit: usize| {
        let left = columns
            .iter()
            .enumerate()
            .fold(0_u64, |row, (at, column)| row | u64::from(column >> bit & 1) << at);
        left | u64::from(zero >> bit & 1) << CRC_BITS
    };
    let mut rows: Vec<u64> = (0..CRC_BITS).map(row).collect();
    for bit in 0..CRC_BITS {
        let pivot = (bit..CRC_BITS).find(|&at| rows[at] >> bit & 1 == 1)?;
        rows.swap(bit, pivot);
        let chosen = rows[bit];
        for (at, row) in rows.iter_mut().enumerate() {
            if at != bit && *row >> bit & 1 == 1 {
                *row ^= chosen;
            }
        }
    }
    let sum =
        rows.iter().enumerate().fold(0_u32, |sum, (bit, row)| sum | ((row >> CRC_BITS & 1) as u32) << bit);
    (sum_with(&mut file, sum) == sum).then_some(file)
}

/// Where `mark` stands.
fn places_of(file: &[u8], mark: &[u8]) -> Vec<usize> {
    (0..file.len()).filter(|&at| file[at..].starts_with(mark)).collect()
}

/// A gzip file that unpacks to itself.
pub fn gzip() -> Vec<u8> {
    let made = (0..=u8::MAX).find_map(|time| {
        // A name fills the head up to 37 bytes.
        let head = [&[0x1f, 0x8b, 8, 8, time, 0, 0, 0, 0, 3][..], b"a-file-that-holds-itself..\0"].concat();
        let length = quine(&head, &[0; 8]).len();
        let tail = [&b"SUM!"[..], &u32::try_from(length).expect("it is short").to_le_bytes()].concat();
        let file = quine(&head, &tail);
        let places = places_of(&file, b"SUM!");
        with_own_sum(file, &places)
    });
    made.expect("one of these times has a solution")
}

/// A zip file whose only member is itself.
pub fn zip() -> Vec<u8> {
    let name = b"own.zip";
    let made = (0..=u8::MAX).find_map(|time| {
        let with = |packed: usize, whole: usize| {
            let number = |number: usize| u32::try_from(number).expect("it is short").to_le_bytes();
            // Version, flags, method, time and date, sum, sizes, length of the name, of more.
            let common = [
                &[20, 0, 0, 0, 8, 0, time, 0, 33, 0][..],
                b"SUM!",
                &number(packed),
                &number(whole),
                &[7, 0, 0, 0],
            ];
            let common = common.concat();
            let head = [&b"PK\x03\x04"[..], &common, name].concat();
            let entry = [&b"PK\x01\x02\x14\0"[..], &common, &[0; 14], name].concat();
            let directory = head.len() + packed;
            let end =
                [&b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..], &number(entry.len()), &number(directory), &[0, 0]];
            let tail = [entry, end.concat()].concat();
            (quine(&head, &tail), head.len() + tail.len())
        };
        let (draft, outside) = with(0, 0);
        let (file, _) = with(draft.len() - outside, draft.len());
        let places = places_of(&file, b"SUM!");
        with_own_sum(file, &places)
    });
    made.expect("one of these times has a solution")
}
