/**
 * The names that a request may be for. A browser that was lured to a foreign name with our address behind it (DNS rebinding) sends that
 * name, and is refused.
 */

const defaultPorts = { http: 80, https: 443 } as const

export interface HostRules {
  /** Names and addresses, without brackets. */
  readonly hosts: readonly string[]
  readonly port: number
  readonly scheme: 'http' | 'https'
}

/** A name of the DNS may end with the dot of its root. */
const withoutRoot = (name: string): string => name.toLowerCase().replace(/\.$/, '')

/** `NAME`, `NAME:PORT`, `[IPv6]:PORT`: in small letters, a dot at the end taken off; undefined when it is not one. */
export const parseHost = (header: string): { readonly name: string; readonly port: number | undefined } | undefined => {
  const [, v6, other, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+))(?::(\d{1,5}))?$/.exec(header) ?? []
  const name = v6 ?? withoutRoot(other ?? '')
  return name === '' ? undefined : { name, port: digits === undefined ? undefined : Number(digits) }
}

/** One spelling for each address. */
const spelled = (name: string): string => {
  if (!name.includes(':')) return name.toLowerCase()
  try {
    return new URL(`http://[${name}]`).hostname.slice(1, -1)
  } catch {
    return name.toLowerCase()
  }
}

/** Whether a request with this Host is for this service. */
export const hostAllowList = ({ hosts, port, scheme }: HostRules): ((header: string | undefined) => boolean) => {
  const known = new Set(['localhost', '127.0.0.1', '::1', ...hosts].map((name) => spelled(withoutRoot(name))))
  return (header) => {
    const host = header === undefined ? undefined : parseHost(header)
    return host !== undefined && (host.port ?? defaultPorts[scheme]) === port && known.has(spelled(host.name))
  }
}
