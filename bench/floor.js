// The floor: a decoder and an encoder by hand that check bounds, header flags, U+0000, UTF-8 and trailing bytes, and
// nothing else. No library: it answers "how much of the time is the language's, and how much is ours?"

export { decode } from './floor/decode.js'
export { encode, encodeInto } from './floor/encode.js'
export { FloorStream } from './floor/stream.js'
