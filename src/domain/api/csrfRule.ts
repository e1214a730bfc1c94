/** Whether a request that changes something comes from our own page: a browser adds the session's cookie to requests of other pages too. */

export interface BrowserRequest {
  readonly method: string
  readonly contentType: string | undefined
  readonly secFetchSite: string | undefined
  readonly origin: string | undefined
  /** Of the service as the request names it, e.g. `https://node:55000`. */
  readonly ownOrigin: string
}

export const changesNothing = (method: string): boolean => method === 'GET' || method === 'HEAD'

/** Programs send neither of the two headers; they have no cookie that a page could abuse, and are let through by their token. */
export const isFromOwnPage = ({ contentType, method, origin, ownOrigin, secFetchSite }: BrowserRequest): boolean => {
  if (changesNothing(method)) return true
  if (!/^application\/json\s*(;|$)/i.test(contentType ?? '')) return false
  return secFetchSite === undefined ? origin === ownOrigin : secFetchSite === 'same-origin'
}
