/** Vectors of the key derivations that no RFC gives, in hex. */

/** NIST's vectors of the TLS 1.2 key derivation (SP 800-135); the key block of SHA-384 is by `openssl kdf TLS1-PRF`. */
export const tls12 = [
  {
    hash: "sha256",
    premaster:
      "f8938ecc9edebc5030c0c6a441e213cd24e6f770a50dda07876f8d55da062bcadb386b411fd4fe4313a604fce6c17fbc",
    helloClientRandom: "36c129d01a3200894b9179faac589d9835d58775f9b5ea3587cb8fd0364cae8c",
    helloServerRandom: "f6c9575ed7ddd73e1f7d16eca115415812a43c2b747daaaae043abfb50053fce",
    master:
      "202c88c00f84a17a20027079604787461176455539e705be730890602c289a5001e34eeb3a043e5d52a65e66125188bf",
    clientRandom: "62e1fd91f23f558a605f28478c58cf72637b89784d959df7e946d3f07bd1b616",
    serverRandom: "ae6c806f8ad4d80784549dff28a4b58fd837681a51d928c3e30ee5ff14f39868",
    keyBlock:
      "d06139889fffac1e3a71865f504aa5d0d2a2e89506c6f2279b670c3e1b74f531016a2530c51a3a0f7e1d6590d0f0566b" +
      "2f387f8d11fd4f731cdd572d2eae927f6f2f81410b25e6960be68985add6c38445ad9f8c64bf8068bf9a6679485d966f" +
      "1ad6f68b43495b10a683755ea2b858d70ccac7ec8b053c6bd41ca299d4e51928",
  },
  {
    hash: "sha384",
    premaster:
      "a5e2642633f5b8c81ad3fe0c2fe3a8e5ef806b06121dd10df4bb0fe857bfdcf522558e05d2682c9a80c741a3aab1716f",
    helloClientRandom: "abe4bf5527429ac8eb13574d2709e8012bd1a113c6d3b1d3aa2c3840518778ac",
    helloServerRandom: "cb6e0b3eb02976b6466dfa9651c2919414f1648fd3a7838d02153e5bd39535b6",
    master:
      "b4d49bfa87747fe815457bc3da15073d6ac73389e703079a3503c09e14bd559a5b3c7c601c7365f6ea8c68d3d9596827",
    clientRandom: "954b5fe1849c2ede177438261f099a2fcd884d001b9fe1de754364b1f6a6dd8e",
    serverRandom: "1b1c8568344a65c30828e7483c0e353e2c68641c9551efae6927d9cd627a107c",
    keyBlock:
      "10fd89ef689c7ef033387b8a8f3e5e8e7c11f680f6bdd71fbac3246a73e98d45d03185dde686e6b2369e4503e9dc5a6d" +
      "2cee3e2bf2fa3f41d3de57dff3e197c8a9d5f74cc2d277119d894f8584b07a0a5822f0bd68b3433ec6adaf5c9406c5f3" +
      "ddbb71bbe17ce98f3d4d5893d3179ef369f57aad908e2bf710639100c3ce7e0c",
  },
];

/** By `openssl kdf TLS1-PRF`: the extended master secret of RFC 7627, and what both Finished would carry. */
export const extended = [
  {
    hash: "sha256",
    premaster: "943edc6b0d3d67a60502be69e11d8f5783cdc2b2b3b9ca8b2924f996b00dcc4f",
    transcriptHash: "5d3582ae4a98938944bb9916b1da964e9e276472e2b4445a169f14476f3f674a",
    master:
      "1260ca8062c3709f8ea80eb4ccbb1da25e4be97281c85cd5cbe4aeb49e2b6b8edd32b7848bf33250d8d7c6a16f50f222",
    client: "5103c119f4c9abe55e0bb7b1",
    server: "34e479c69d258db22aea6274",
  },
  {
    hash: "sha384",
    premaster:
      "ce0482aba42b9605cf8c3fe72a61e5ff03e364cad95e9a0b1dcab6a42bb2bf5a6117c4fc4da5e2010de649b86298e435",
    transcriptHash:
      "c937a1cc3c65fa522931c239bbb6ec849ef01bb47e487f42873dc982907fbbc325213415393fd05e15da759d7fb5f192",
    master:
      "05dfd58bbbf7413813fdfb447db048127c81cf0d6d080f3ab2ea193bf242f1a80391c2effb318439a320ff4764860532",
    client: "e3796bee7009104bf9196bac",
    server: "1db5d064855cfc10870fdc92",
  },
];

/** By `openssl kdf HKDF`, step by step: the key schedule of TLS 1.3 with SHA-384, one transcript hash for all. */
export const tls13sha384 = {
  shared:
    "ce0482aba42b9605cf8c3fe72a61e5ff03e364cad95e9a0b1dcab6a42bb2bf5a6117c4fc4da5e2010de649b86298e435",
  transcriptHash:
    "c937a1cc3c65fa522931c239bbb6ec849ef01bb47e487f42873dc982907fbbc325213415393fd05e15da759d7fb5f192",
  clientHandshake:
    "d1c6f752034ffbcaefbd8f7f34cb5c1b27b77919a5c005c296c3d4c7b3ddab6761b87a51098cf3335aa69057fd944fa6",
  serverHandshake:
    "2db5759a18875bb46682fe2f77bb0a851069476d83e45a6ad790bd2622ace8c1f200f2ca5c99b4cf9f402183f59f6d1c",
  clientVerifyData:
    "2a3705d057f642f0854e516d425e3e1d51fe70396a053ffd2a9c8716431491dd7dbbd3c559beac656d4e6335062a8e91",
  clientApplication:
    "fab151840596c4a035e31906653445036a6dc8ad17ba2926774f9b0e1862a51c7845823124958145792f5d96e10c834d",
  exporter:
    "4b8628a3557e8b8c04d5c24ae6cacf7a3fa19b4d2cbadfea33d4e9980a729424e874b2517b2f2fcb3cfa3b88fd0e7fd8",
  clientApplicationKey: "8e20306e78abe9e7005c490202c6a5ccc6e4e1e21de109d807decc7ff967d633",
  clientApplicationIv: "c5c1a41b2d8b9efdbe7558ae",
  /** After a KeyUpdate. */
  clientUpdated:
    "0310f698777bc7b77febb489b4ce0f5711827d84491bfb2862ed279e205d61c828bcdb5b821a95ba0ed853e78993174c",
};
