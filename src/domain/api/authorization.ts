/** The headers by which a client says who it is. Everything in them is foreign text. */
import { limits } from '../../base/limits.js'

export type Authorization =
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }
  /** A header of another shape. */
  | { readonly kind: 'unusable' }

const unusable: Authorization = { kind: 'unusable' }

const utf8 = new TextDecoder('utf-8', { fatal: true })

const decoded = (base64: string): string | undefined => {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return undefined
  try {
    return utf8.decode(Buffer.from(base64, 'base64'))
  } catch {
    return undefined
  }
}

/** Of `Authorization: SCHEME CREDENTIALS`; undefined without a header. */
export const parseAuthorization = (header: string | undefined): Authorization | undefined => {
  if (header === undefined) return undefined
  const [, scheme = '', credentials = ''] = /^([A-Za-z]+) +(\S+)$/.exec(header) ?? []
  if (header.length > limits.apiHeaderBytesMax) return unusable
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(credentials) ? { kind: 'bearer', token: credentials } : unusable
    case 'basic': {
      const text = decoded(credentials)
      const colon = text?.indexOf(':') ?? -1
      if (text === undefined || colon < 1) return unusable
      return { kind: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) }
    }
    default:
      return unusable
  }
}

/** The value of one cookie; undefined when it is not there, or there more than once with different values. */
export const parseCookie = (header: string | undefined, name: string): string | undefined => {
  if (header === undefined || header.length > limits.apiHeaderBytesMax) return undefined
  const values = new Set<string>()
  for (const part of header.split(';')) {
    const equals = part.indexOf('=')
    if (equals > 0 && part.slice(0, equals).trim() === name) values.add(part.slice(equals + 1).trim())
  }
  const [value] = values
  return values.size === 1 ? value : undefined
}
