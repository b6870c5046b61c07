import { render } from 'preact';
import { App } from './app.js';
import { refresh } from './refresh.js';

const page = document.getElementById('page');
if (page) {
  page.replaceChildren();
  render(<App />, page);
}
void refresh();
