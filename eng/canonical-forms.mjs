// Writes the table that normal form C of names goes by, from the Unicode data of Node:
//   node eng/canonical-forms.mjs > src/Ashlar.Files/Metadata/Normalization/canonical-forms.txt
// With --golden it prints the hashes that NormalFormTests compares with.
import { createHash } from 'node:crypto';

const hangul = 0xAC00, hangulEnd = 0xD7A3, surrogates = 0xD800, surrogatesEnd = 0xDFFF, last = 0x10FFFF;
const points = [];
for (let point = 0x80; point <= last; point++)
    if (!(point >= surrogates && point <= surrogatesEnd) && !(point >= hangul && point <= hangulEnd)) points.push(point);
const text = point => String.fromCodePoint(point);
const pointsOf = string => [...string].map(character => character.codePointAt(0));
const hex = point => point.toString(16).toUpperCase();

// Marks of one class keep their order, of two sort: one mark of each class tells the class of every other.
const marks = {
    1: 0x334, 6: 0x16FF0, 7: 0x93C, 8: 0x3099, 9: 0x94D, 10: 0x5B0, 11: 0x5B1, 12: 0x5B2, 13: 0x5B3, 14: 0x5B4, 15: 0x5B5, 16: 0x5B6,
    17: 0x5B7, 18: 0x5B8, 19: 0x5B9, 20: 0x5BB, 21: 0x5BC, 22: 0x5BD, 23: 0x5BF, 24: 0x5C1, 25: 0x5C2, 26: 0xFB1E, 27: 0x64B, 28: 0x64C,
    29: 0x64D, 30: 0x64E, 31: 0x64F, 32: 0x650, 33: 0x651, 34: 0x652, 35: 0x670, 36: 0x711, 84: 0xC55, 91: 0xC56, 103: 0xE38, 107: 0xE48,
    118: 0xEB8, 122: 0xEC8, 129: 0xF71, 130: 0xF72, 132: 0xF74, 202: 0x321, 214: 0x1DCE, 216: 0x31B, 218: 0x302A, 220: 0x316, 222: 0x59A,
    224: 0x302E, 226: 0x1D16D, 228: 0x5AE, 230: 0x301, 232: 0x315, 233: 0x35C, 234: 0x35D, 240: 0x345,
};
const swaps = (first, second) => pointsOf((text(first) + text(second)).normalize('NFD'))[0] !== first;

function classOf(point) {
    if (text(point).normalize('NFD') !== text(point)) return 0; // What has parts is taken apart before it is sorted.
    if (!swaps(point, marks[1]) && !swaps(marks[240], point)) return 0;
    const found = Object.keys(marks).filter(key => !swaps(point, marks[key]) && !swaps(marks[key], point));
    if (found.length !== 1) throw new Error(`${hex(point)}: classes ${found}`);
    return Number(found[0]);
}

function table() {
    const lines = [`# Unicode ${process.versions.unicode}, made by eng/canonical-forms.mjs: "first-last:class", "composite=first+second", "other>parts"`];
    let run = null;
    const end = () => run && lines.push(`${hex(run.first)}-${hex(run.last)}:${run.kind}`);
    for (const point of points) {
        const kind = classOf(point);
        if (kind && run && run.kind === kind && run.last + 1 === point) run.last = point;
        else if (kind) { end(); run = { first: point, last: point, kind }; }
    }
    end();
    for (const point of points) {
        const parts = pointsOf(text(point).normalize('NFD'));
        if (parts.length === 1 && parts[0] === point) continue;
        if (text(point).normalize('NFC') !== text(point)) { lines.push(`${hex(point)}>${parts.map(hex).join('+')}`); continue; }
        // The pair that makes it: what all its parts but the end are composed to, and that.
        const split = [...parts.keys()].slice(1).map(at => [
            pointsOf(text2(parts.slice(0, at)).normalize('NFC')), pointsOf(text2(parts.slice(at)).normalize('NFC'))])
            .filter(([left, right]) => left.length === 1 && right.length === 1).at(-1);
        lines.push(`${hex(point)}=${hex(split[0][0])}+${hex(split[1][0])}`);
    }
    return lines.join('\n') + '\n';
}

function text2(parts) { return String.fromCodePoint(...parts); }

function golden() {
    const hash = createHash('sha256');
    const interesting = [];
    for (const point of points) {
        const [nfc, nfd] = ['NFC', 'NFD'].map(form => text(point).normalize(form));
        hash.update(nfc + '\n');
        if (nfd !== text(point) || classOf(point)) interesting.push(point);
    }
    console.log(`each ${hash.digest('hex')}`);
    // What comes of parts in any order, by a sequence that both sides draw alike.
    const sequences = createHash('sha256');
    let state = 1;
    const draw = bound => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return Math.floor(state / 65536) % bound; };
    for (let i = 0; i < 20000; i++) {
        let drawn = '';
        for (let length = 1 + draw(6); length > 0; length--) {
            const chosen = draw(4) === 0 ? text(0x1100 + draw(0xC3)) : text(interesting[draw(interesting.length)]);
            drawn += draw(2) === 0 ? chosen : chosen.normalize('NFD');
        }
        sequences.update(drawn.normalize('NFC') + '\n');
    }
    console.log(`interesting ${interesting.length}\nsequences ${sequences.digest('hex')}`);
}

if (process.argv.includes('--golden')) golden();
else process.stdout.write(table());
