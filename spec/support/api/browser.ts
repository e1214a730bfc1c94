/** Debian's Chromium, for the page as a person uses it. It starts with an empty profile of its own, and takes it along when it ends. */
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Locator, type Page } from 'playwright-core'
import { expect } from 'vitest'
import { isMissing } from '../debianProgram.js'

export const hasNoBrowser = isMissing('chromium', 'chromium')

const background = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run']

/** Letters without coloured edges: the same on every machine, and half as many bytes. */
const drawing = ['--disable-lcd-text']

export const startBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', ...background, ...drawing],
  })

/** Git ignores where it goes. */
export const screenshot = async (page: Page, name: string): Promise<void> => {
  await page.mouse.move(0, 0)
  await page.screenshot({ path: fileURLToPath(new URL(`../../screenshots/${name}.png`, import.meta.url)), fullPage: true })
}

// biome-ignore lint/performance/useDomNodeTextContent: what a person sees of it is meant, not what is there.
export const seen = (locator: Locator): Promise<string> => locator.innerText()

/** Waits for it: what an element of the page says changes with what comes over the stream. */
export const says = (page: Page, id: string, wanted: string | RegExp): Promise<void> =>
  expect.poll(() => seen(page.locator(`#${id}`)), { timeout: 8_000 }).toMatch(wanted)

export const signIn = async (page: Page, user: string, password: string): Promise<void> => {
  await page.getByLabel('User').fill(user)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** In a world of its own: no session, and what is drawn is the same everywhere. Complaints are errors of the script and refusals of the policy. */
export const openPage = async (browser: Browser): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, timezoneId: 'UTC', reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.setDefaultTimeout(8_000)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text())
  })
  return { page, complaints }
}
