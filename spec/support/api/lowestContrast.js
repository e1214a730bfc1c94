/** Runs in the browser: the least contrast of a text that is seen to what is behind it, which text it is, and how light the page is. */
;(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  /** Any colours of CSS, one over the other, as red, green and blue. */
  const painted = (...colours) => {
    for (const colour of ['white', ...colours]) {
      canvas.fillStyle = colour
      canvas.fillRect(0, 0, 1, 1)
    }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
  }
  const luminance = (rgb) => {
    const [red, green, blue] = rgb.map((value) => (value <= 10 ? value / 3294 : ((value / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const grounds = (element) => (element ? [...grounds(element.parentElement), getComputedStyle(element).backgroundColor] : [])
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '')
  let [contrast, of] = [21, '']
  for (const element of document.body.querySelectorAll('*')) {
    if (!(element instanceof HTMLElement) || !hasText(element) || element.getClientRects().length === 0 || element.matches(':disabled'))
      continue
    const behind = grounds(element)
    const [a, b] = [painted(...behind), painted(...behind, getComputedStyle(element).color)].map(luminance).sort((x, y) => y - x)
    const found = (a + 0.05) / (b + 0.05)
    if (found < contrast) [contrast, of] = [found, `${element.tagName}.${element.className}: ${element.textContent.slice(0, 40)}`]
  }
  return { contrast, of, ground: painted(getComputedStyle(document.body).backgroundColor)[0] }
})()
