// Every text whose colour is too close to what stands behind it, as WCAG 2 counts: 4.5 to 1.
(() => {
  const parts = (color) => (color.match(/[\d.]+/g) || []).map(Number);
  const light = (color) => {
    const [red, green, blue] = parts(color).map((part) => {
      const share = part / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (parts(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const words = texts.currentNode.textContent.trim();
    if (!words || !element.checkVisibility() || element.tagName === "SCRIPT") continue;
    const [front, back] = [getComputedStyle(element).color, behind(element)];
    const [low, high] = [light(front), light(back)].sort((one, other) => one - other);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) faint.push(`${contrast.toFixed(2)}: ${words} (${front} on ${back})`);
  }
  return faint;
})()
