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

/** `1514/TCP, 10.0.0.1:1600/TCP,UDP` */
export const placesText = (places: readonly ListeningPlace[]): string =>
  places
    .map(({ localIp, port, transports }) => {
      const address = localIp.includes(':') ? `[${localIp}]:` : localIp === '' ? '' : `${localIp}:`
      return `${address}${port}/${transports.join(',').toUpperCase()}`
    })
    .join(', ')
