/** The page in a real browser, by a person's steps. */
import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hasNoBrowser, openPage, says, screenshot, seen, signIn, startBrowser } from '../../support/api/browser.js'
import { PageServer, pageUser } from '../../support/api/pageServer.js'
import { failing, failingFiles, first, healthy, lost, master, nowMs, overviewOf, second, third } from '../../support/api/shownClusters.js'

const unsafeCharacters = /[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|[^\P{Cc}\n\t]/u

/** In the browser, which has a world of its own: see there. */
const lowestContrast = readFileSync(new URL('../../support/api/lowestContrast.js', import.meta.url), 'utf8')

describe.skipIf(hasNoBrowser)('the page', () => {
  let browser: Browser
  let server: PageServer
  let page: Page
  let complaints: readonly string[]

  beforeAll(async () => {
    browser = await startBrowser()
  })
  afterAll(() => browser.close())
  beforeEach(async () => {
    server = new PageServer(healthy)
    await server.listen()
    ;({ complaints, page } = await openPage(browser))
  })
  afterEach(async () => {
    await page.context().close()
    await server.close()
    expect(complaints).toEqual([])
  })

  const signedIn = async (): Promise<void> => {
    await page.goto(server.url)
    await signIn(page, pageUser.user, pageUser.password)
    await page.locator('#cluster').waitFor()
  }
  const openNode = (name: string): Promise<void> => page.getByRole('button', { name, exact: true }).first().click()
  const nodesInOrder = (): Promise<readonly string[]> => page.locator('.node-name').allInnerTexts()
  const inBrowser = <T>(expression: string): Promise<T> => page.evaluate<T>(expression)
  const isWiderThanScreen = (): Promise<boolean> => inBrowser('document.documentElement.scrollWidth > document.documentElement.clientWidth')

  it('asks who is there, says what is wrong with an answer, and shows the cluster to whom it knows', async () => {
    await page.goto(server.url)
    await signIn(page, pageUser.user, 'a guess')
    await expect.poll(() => seen(page.getByRole('alert'))).toBe('Invalid credentials')
    await screenshot(page, 'sign-in')
    await signIn(page, pageUser.user, pageUser.password)
    await says(page, 'headline', /^3 of 3 workers are in sync\.$/)
    await page.reload()
    await says(page, 'headline', /^3 of 3/)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in to the cluster' }).waitFor()
    expect(await page.locator('#cluster').isVisible()).toBe(false)
  })

  it('keeps nothing of what a user saw when the session has ended', async () => {
    await signedIn()
    server.endSessions()
    await page.getByRole('heading', { name: 'Sign in to the cluster' }).waitFor()
    await expect.poll(() => page.locator('#nodes tbody').count()).toBe(0)
    await signIn(page, pageUser.user, pageUser.password)
    await says(page, 'headline', /^3 of 3/)
  })

  it('says the worst first, and sorts by any column', async () => {
    await signedIn()
    expect(await nodesInOrder()).toEqual(['master-node', 'worker-1', 'worker-2', 'worker-3'])
    server.show(lost)
    await says(page, 'headline', 'worker-3 is not connected: The peer did not answer for 120 s.')
    await says(page, 'headline-age', 'since 4 min')
    expect(await page.title()).toContain('worker-3 is not connected')
    expect((await nodesInOrder())[0]).toBe('worker-3')
    await page.getByRole('button', { name: 'RTT' }).click()
    expect((await nodesInOrder()).slice(0, 2)).toEqual(['worker-3', 'worker-2'])
    await page.getByRole('button', { name: 'RTT' }).click()
    expect((await nodesInOrder()).at(-1)).toBe('master-node')
    expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('ascending')
  })

  it('shows the failing file of a node and why', async () => {
    server.files = failingFiles
    await signedIn()
    server.show(failing)
    await says(page, 'headline', '1 file cannot be written on worker-2.')
    await openNode('worker-2')
    const row = page.locator('.files tr', { hasText: 'agent.conf' })
    await expect.poll(() => seen(row)).toMatch(/failed\s+etc\/shared\/default\/agent\.conf\s+EACCES: permission denied/)
    await screenshot(page, 'failing-file')
  })

  it('shows the last warnings and errors of the log of a node, the master too', async () => {
    const timestamp = new Date(nowMs - 120_000).toISOString()
    server.lines = [
      { timestamp, level: 'error', description: '[Worker] [Main] The disk is full.' },
      { timestamp: 'n/a', level: 'warning', description: '[Worker] [Main] The clock was set.' },
    ]
    await signedIn()
    for (const name of ['worker-1', 'master-node']) {
      await openNode(name)
      const items = page.locator('.details li', { hasText: /disk|clock/ })
      await expect
        .poll(() => items.allInnerTexts())
        .toEqual([
          expect.stringMatching(/^2 min ago error \[Worker\] \[Main\] The disk is full\.$/),
          expect.stringMatching(/^never warning \[Worker\] \[Main\] The clock was set\.$/),
        ])
      await page.keyboard.press('Escape')
    }
    server.lines = []
    await openNode('worker-2')
    await says(page, 'nodes', 'Nothing was wrong since it was started.')
  })

  it('is used with the keyboard alone', async () => {
    await page.goto(server.url)
    await page.locator('#entrance').waitFor()
    await page.keyboard.type(pageUser.user)
    await page.keyboard.press('Tab')
    await page.keyboard.type(pageUser.password)
    await page.keyboard.press('Enter')
    await says(page, 'headline', /^3 of 3/)
    await page.keyboard.press('/')
    await page.keyboard.type('worker')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    const button = page.getByRole('button', { name: 'worker-2' }).first()
    expect(await button.getAttribute('aria-expanded')).toBe('true')
    await says(page, 'nodes', 'All 1,284 files are as the master has them.')
    // Its row moves to the top, and the focus with it.
    server.show(overviewOf(master, first, { ...second, isConnected: false }, third))
    await expect.poll(async () => (await nodesInOrder())[0]).toBe('worker-2')
    expect(await inBrowser('document.activeElement.textContent')).toBe('worker-2')
    await page.keyboard.press('Escape')
    expect(await button.getAttribute('aria-expanded')).toBe('false')
    expect(await inBrowser('document.activeElement.textContent')).toBe('worker-2')
  })

  it('has what it had before when the stream is lost, as stale, and the truth again afterwards', async () => {
    await signedIn()
    server.happen({ atMs: nowMs - 9_000, level: 'info', node: 'worker-1', message: 'joined' })
    await says(page, 'freshness', 'live')
    server.breakStreams('The node stops')
    await says(page, 'headline', 'Not up to date: The node stops')
    await says(page, 'freshness', /^stale since [34] s$/)
    await says(page, 'nodes', 'was in sync')
    await says(page, 'findings', 'When last seen: 3 of 3 workers are in sync.')
    await screenshot(page, 'stale')
    server.breakStreams(undefined)
    server.happen({ atMs: nowMs - 1_000, level: 'warning', node: 'worker-3', message: 'left: no answer' })
    server.show(lost)
    await says(page, 'headline', /^worker-3 is not connected/)
    await says(page, 'freshness', 'live')
    expect(await page.locator('#events .message').allInnerTexts()).toEqual(['warning left: no answer', 'joined'])
  })

  it('says that a worker without its master knows nothing now', async () => {
    server = await replaced(server, new PageServer({ ...healthy, node: 'worker-1', type: 'worker' }))
    await signedIn()
    await says(page, 'where', 'seen from worker worker-1: it shows what its master says')
    server.trouble('worker-1 is not connected to its master')
    await says(page, 'headline', 'worker-1 is not connected to its master')
    server.show(healthy)
    await says(page, 'headline', /^3 of 3/)
  })

  it('has no stream while nobody sees it', async () => {
    await signedIn()
    const turn = (isHidden: boolean): Promise<void> =>
      inBrowser(`
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${isHidden} })
        document.dispatchEvent(new Event('visibilitychange'))
      `)
    expect(server.watchers).toBe(1)
    await turn(true)
    await expect.poll(() => server.watchers).toBe(0)
    await turn(false)
    await expect.poll(() => server.watchers).toBe(1)
    await says(page, 'freshness', 'live')
  })

  it('is dark where the system is, or as the button says, and can be read either way', async () => {
    server.show(
      overviewOf(master, { ...first, failed: 2, inSync: false }, { ...second, inSync: false, pending: 4 }, { ...third, state: 'drained' }),
    )
    await signedIn()
    const shades = (): Promise<{ contrast: number; of: string; ground: number }> => inBrowser(lowestContrast)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      const { contrast, ground, of } = await shades()
      expect({ of, isReadable: contrast >= 4.5 }).toEqual({ of, isReadable: true })
      expect(ground < 128).toBe(colorScheme === 'dark')
      await screenshot(page, colorScheme)
    }
    await page.getByRole('button', { name: 'Theme: auto' }).click()
    await page.getByRole('button', { name: 'Theme: dark' }).click()
    expect((await shades()).ground).toBeGreaterThan(128)
  })

  it('fits at twice the size, and with many nodes shows the worst', async () => {
    const many = Array.from({ length: 300 }, (_, at) => ({ ...first, name: `node-${at}`, isConnected: at !== 170 }))
    server.show(overviewOf(master, ...many))
    await page.setViewportSize({ width: 640, height: 450 })
    await signedIn()
    await says(page, 'headline', /^node-170 is not connected/)
    expect((await nodesInOrder())[0]).toBe('node-170')
    await says(page, 'nodes-note', '200 of 301 nodes are shown: the filter finds the others.')
    await says(page, 'topology', '293 more')
    expect(await isWiderThanScreen()).toBe(false)
    await screenshot(page, 'twice-the-size')
  })

  it('says what to do where there is nothing yet', async () => {
    server.show(overviewOf({ ...master, agents: {}, activeAgents: 0 }))
    await signedIn()
    await says(page, 'headline', 'No worker has joined yet.')
    await says(page, 'agents-note', 'No agent reports to this cluster yet.')
    await says(page, 'events-note', 'Nothing has happened since the node started.')
    await screenshot(page, 'alone')
  })

  it('shows hostile names as they are: nothing of them runs, hides, turns or breaks out', async () => {
    const hostile = [
      '<script>window.ran = 1</script>',
      '<img src=x onerror="window.ran = 1">',
      '"><svg onload=window.ran=1>',
      "' onclick='window.ran=1' x='",
      'javascript:window.ran=1',
      'gpj.\u202Eexe\u2066',
      'a\u0000b\u001b[31mc\r\nd',
      'zero\u200bwidth\ufeff',
      `\ud800${'W'.repeat(4_000)}`,
      '__proto__',
      'constructor',
    ]
    const nodes = hostile.map((text, at) => ({
      ...first,
      name: text,
      version: text,
      muster: text,
      address: text,
      error: text,
      isConnected: at % 2 === 0,
      inSync: false,
      failed: 1,
      agents: { [text]: 3, active: 1 },
    }))
    server.files = hostile.flatMap((file) =>
      hostile.slice(0, 1).map((node) => ({ node, file, state: 'failed' as const, code: file, error: file })),
    )
    server.summaries = [
      { node: hostile[0] ?? '', inSync: false, files: 1, pending: 0, failed: 1, failuresLeftOut: 2, code: 'x', error: hostile[1] ?? '' },
    ]
    server.lines = hostile.map((text) => ({ timestamp: text, level: text, description: text }))
    server.happen(...hostile.map((message) => ({ atMs: nowMs, level: 'error' as const, node: message, message })))
    server.show({ ...overviewOf(master, ...nodes), cluster: hostile.join(), node: hostile[0] ?? '', type: 'worker' })
    await signedIn()
    await page.locator('.node-button', { hasText: '<script>' }).click()
    await expect.poll(() => page.locator('.files tbody tr').count()).toBe(hostile.length)
    await says(page, 'cluster', '2 more failed, and the node did not name them.')
    await expect.poll(() => page.locator('.details .wide').last().locator('li').count()).toBe(hostile.length)
    expect(await inBrowser("'ran' in window")).toBe(false)
    expect(await page.locator('img, script:not([src="page.js"]), [onclick], [onload], [onerror], iframe').count()).toBe(0)
    expect(unsafeCharacters.exec(await seen(page.locator('body')))).toBeNull()
    expect(await page.title()).not.toMatch(unsafeCharacters)
    expect(await isWiderThanScreen()).toBe(false)
    await screenshot(page, 'hostile')
    await page.setViewportSize({ width: 640, height: 800 })
    expect(await isWiderThanScreen()).toBe(false)
    server.trouble(hostile.join(' '))
    await says(page, 'headline', 'onerror')
    expect(await isWiderThanScreen()).toBe(false)
  })
})

/** In place of another, on a port of its own. */
const replaced = async (old: PageServer, server: PageServer): Promise<PageServer> => {
  await old.close()
  await server.listen()
  return server
}
