/** The kinds of keys that are made, as `--key` names them. */

export const keyKinds = ['rsa2048', 'rsa3072', 'rsa4096', 'p256', 'p384', 'ed25519'] as const
export type KeyKind = (typeof keyKinds)[number]

/** Wazuh's. */
export const defaultKeyKind: KeyKind = 'rsa2048'
