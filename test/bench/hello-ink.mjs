// The least that Ink can show, to compare with.
import { render, Text } from 'ink';
import { createElement } from 'react';

render(createElement(Text, null, 'HELLO WORLD'));
setTimeout(() => {}, 1e6);
