// Names for variables that cost a device nothing, as its engine has them anyway: a name that it lacks takes 24 bytes and more.

const letters = "etsinrahocldufpmgvybwkSATxCEIORNLDPUzMFjHVWKBXGqYJQZ$_";

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

const names = [...letters, ...known];

/** What the minifier asks for the nth name; none has numbers in it, so that those behind the last do. */
export const engineNames = {
  get: (n) => names[n] ?? `_${n}`,
};
