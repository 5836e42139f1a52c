// What the console's pages do by themselves: seconds that run, and whether the board is live.

/** Seconds since a moment, once a second; without this script the moment itself stands there. */
class RunningTime extends HTMLElement {
  connectedCallback() {
    this.show();
    this.timer = setInterval(() => this.show(), 1000);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  show() {
    const passed = Math.max(0, Math.floor((Date.now() - skew - Date.parse(this.getAttribute('since'))) / 1000));
    const hours = Math.floor(passed / 3600);
    const pad = (number) => String(number).padStart(2, '0');
    const minutes = Math.floor(passed / 60) % 60;
    this.textContent = (hours ? `${hours}:${pad(minutes)}` : minutes) + `:${pad(passed % 60)}`;
  }
}

// The reader's clock may be wrong; the service says what time it is when it makes the page.
const now = document.querySelector('[data-now]');
const skew = now ? Date.now() - Date.parse(now.dataset.now) : 0;
customElements.define('running-time', RunningTime);

const live = document.getElementById('live');
if (live) {
  const tell = (on) => {
    live.classList.toggle('on', on);
    live.classList.toggle('off', !on);
    live.textContent = on ? live.dataset.on : live.dataset.off;
  };
  document.addEventListener('htmx:sse:after:connection', () => tell(true));
  document.addEventListener('htmx:sse:after:message', () => tell(true));
  document.addEventListener('htmx:sse:error', () => tell(false));
  document.addEventListener('htmx:sse:close', () => tell(false));
}
