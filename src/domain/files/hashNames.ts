/** The hashes that Wazuh's API knows, by its names. */
export const hashNames = [
  ...(['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'blake2b', 'blake2s'] as const),
  ...(['sha3_224', 'sha3_256', 'sha3_384', 'sha3_512'] as const),
] as const

export type HashName = (typeof hashNames)[number]
