(() => {
  const read = link => new TextDecoder().decode(
    Uint8Array.from(atob(link.href.split(",")[1]), letter => letter.charCodeAt(0)));
  // Where a page comes from a disk, browsers may refuse the clipboard; a selection is left then.
  const select = text => {
    const area = document.createElement("textarea");
    area.className = "unseen";
    area.readOnly = true;
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  };
  const copy = async text => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return select(text);
    }
  };
  for (const link of document.querySelectorAll(".take a")) {
    const button = document.createElement("button");
    const name = link.dataset.kind;
    const label = `Copy ${name}`;
    button.type = "button";
    button.textContent = label;
    button.setAttribute("aria-describedby", link.parentElement.dataset.caption);
    const said = link.parentElement.querySelector("[role=status]");
    button.addEventListener("click", async () => {
      const copied = await copy(read(link));
      button.focus();
      said.textContent = copied ? `${name} copied.` : `The browser refused; save the ${name}.`;
      setTimeout(() => { said.textContent = ""; }, 4000);
    });
    link.before(button);
  }
})();
