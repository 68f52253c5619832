// Names for variables that cost a device nothing, as its engine has them anyway: a name that it lacks takes 24 bytes and more.

export const letters = [..."etsinrahocldufpmgvybwkSATxCEIORNLDPUzMFjHVWKBXGqYJQZ$_"];

/** Members of ECMAScript's own objects, the shortest first; none is a word of the language or a global variable. */
export const known = (
  "at id abs add all any cos exp has log map max min now pop pow raw sin tan acos asin atan bind call cbrt ceil cosh exec " +
  "fill find flat from imul join keys log2 name next push race seal sign sinh size some sort sqrt tanh test then trim acosh " +
  "apply asinh atan2 atanh clear clz32 every expm1 flags floor hypot index input log10 log1p match parse proxy round shift " +
  "slice split trunc value assign buffer callee caller charAt concat create dotAll filter freeze fround getDay global groups " +
  "hasOwn isView keyFor length padEnd random reason reduce reject repeat revoke search source splice sticky substr toJSON " +
  "values compile entries flatMap forEach getDate getInt8 getTime getYear indexOf isArray message ownKeys replace " +
  "resolve reverse setDate setInt8 setTime setYear species toFixed trimEnd unicode unshift valueOf endsWith exchange getHours " +
  "getInt16 getInt32 getMonth getUint8 includes isFrozen isSealed iterator matchAll padStart setHours setInt16 setInt32 " +
  "setMonth setUint8 subarray toString trimLeft writable construct findIndex getUTCDay getUint16 getUint32 isInteger lastIndex " +
  "multiline normalize prototype setUint16 setUint32 stringify substring trimRight trimStart allSettled byteLength byteOffset " +
  "charCodeAt copyWithin enumerable getFloat32 getFloat64 getMinutes getSeconds getUTCDate ignoreCase isLockFree replaceAll " +
  "setFloat32 setFloat64 setMinutes setSeconds setUTCDate startsWith codePointAt constructor description fromEntries " +
  "getFullYear getUTCHours getUTCMonth hasInstance lastIndexOf reduceRight setFullYear setUTCHours setUTCMonth toISOString " +
  "toLowerCase toPrecision toPrimitive toStringTag toUTCString toUpperCase unscopables configurable fromCharCode isExtensible " +
  "toDateString toTimeString fromCodePoint getUTCMinutes getUTCSeconds isPrototypeOf isSafeInteger localeCompare setUTCMinutes " +
  "setUTCSeconds toExponential defineProperty deleteProperty getPrototypeOf getUTCFullYear hasOwnProperty setPrototypeOf " +
  "setUTCFullYear toLocaleString getMilliseconds setMilliseconds defineProperties getTimezoneOffset preventExtensions"
).split(" ");

/** More names that the engine has, for members alone: global variables and words of its own are among them. */
export const words = (
  "is Map Set UTC mod sub uri Date JSON LN10 Math busy done drop free grow idiv imod irem left line load path peek " +
  "poke read take type wait wake weak Array Error LOG2E Proxy SQRT2 cache cause chunk count deref error isNaN local " +
  "right stack store toHex union BigInt LOG10E Native Number Object RegExp String Symbol append asIntN center " +
  "eachUp errors escape module native notify resize result status Atomics Boolean EPSILON Promise Reflect SQRT1_2 " +
  "WeakMap WeakRef WeakSet aliases asUintN closure compare exports fromHex groupBy idivmod imports imuldiv indices " +
  "irandom isError options promise rawJSON toArray written DataView Function Iterator URIError alphabet bindings " +
  "chunkify detached eachDown evaluate f16round findLast growable isFinite iterable parseInt register toBase64 " +
  "toSorted transfer unescape EvalError Generator Int8Array MAX_VALUE MIN_VALUE TypeError arguments bitLength " +
  "boundThis decodeURI encodeURI enumerate fromAsync importNow isRawJSON reexports resizable revocable toSpliced " +
  "transfers waitAsync Int16Array Int32Array RangeError TypedArray Uint8Array difference fromBase64 fromBigInt " +
  "fromString getFloat16 globalThis hasIndices isSubsetOf parseFloat setFloat16 setFromHex sumPrecise toReversed " +
  "unregister ArrayBuffer Compartment SyntaxError Uint16Array Uint32Array cleanupSome getBigInt64 getOrInsert " +
  "needsImport omitPadding setBigInt64 toGMTString unicodeSets Float16Array Float32Array Float64Array ModuleSource " +
  "getBigUint64 intersection isSupersetOf isWellFormed setBigUint64 toWellFormed AsyncFunction BigInt64Array " +
  "asyncIterator boundFunction findLastIndex maxByteLength setFromBase64 withResolvers AggregateError " +
  "BigUint64Array ReferenceError boundArguments isDisjointFrom PI as of or LN2 and for try use xor this with catch " +
  "delete default finally function Infinity console getOwnPropertyNames compareExchange needsImportMeta fromArrayBuffer " +
  "MAX_SAFE_INTEGER MIN_SAFE_INTEGER BYTES_PER_ELEMENT NEGATIVE_INFINITY POSITIVE_INFINITY SharedArrayBuffer " +
  "GeneratorFunction Uint8ClampedArray setUTCMilliseconds getUTCMilliseconds toLocaleLowerCase toLocaleUpperCase " +
  "toLocaleDateString toLocaleTimeString decodeURIComponent encodeURIComponent isConcatSpreadable symmetricDifference " +
  "propertyIsEnumerable lastChunkHandling getOwnPropertySymbols FinalizationRegistry transferToFixedLength " +
  "AsyncGeneratorFunction getOrInsertComputed getOwnPropertyDescriptor getOwnPropertyDescriptors"
).split(" ");

/** Names that the SDK's manifest_base.json brings to every application for a chip, of its pins, buses and pictures. */
export const base = (
  "hz pin bank baud edge pins edges falls rises width height pullup readByte readWord readBlock readQuick rotation " +
  "sendByte writeByte writeWord resolution writeBlock writeQuick attenuation pixelFormat receiveByte initialValue"
).split(" ");

const names = [...known, ...letters];

/** What the minifier asks for the nth name; none has numbers in it, so that those behind the last do. */
export const engineNames = {
  get: (n) => names[n] ?? `_${n}`,
};
