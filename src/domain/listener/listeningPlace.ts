/** Where agents report: what one `<remote>` block says of it. */
export interface ListeningPlace {
  readonly port: number
  readonly transports: readonly ('tcp' | 'udp')[]
  /** Of the interface to listen on; all when empty. */
  readonly localIp: string
  readonly ipv6: boolean
}

/** A first place, with the further ones beside it: all of them. */
export const placesOf = ({
  further = [],
  ipv6,
  localIp,
  port,
  transports,
}: ListeningPlace & { readonly further?: readonly ListeningPlace[] }): readonly ListeningPlace[] => [
  { port, transports, localIp, ipv6 },
  ...further,
]
