/**
 * What the terminal emulator does for each line and letter that this program has no use for: agents print
 * many megabytes. A test holds the emulator of the bundle against the one that npm installs.
 *
 * - Two empty objects for each line that scrolls, for combined characters and underline styles, live as
 *   long as the line and so are half of the garbage collector's work: lines without such share one that
 *   nothing can write to, and get their own where something is written.
 * - Erasing up to a cursor that waits behind the end of the last row (ESC [ 1 J) would end the program: there
 *   is no row below. So would a resize that fills all rows of a wrapped line, as each half of a wide character
 *   that a narrow row had cut takes one cell more: there is no row after the last.
 * - Plain ASCII within the line, which is most of all text, needs no look at widths, joins and links.
 */
export const xtermSwaps: readonly (readonly [from: string, to: string])[] = [
  [
    'let a=0;class h{constructor(e,t,s=!1){this.isWrapped=s,this._combined={},this._extendedAttrs={},',
    'let a=0;const none=Object.freeze({}),ownCombined=e=>e._combined===none?e._combined={}:e._combined,ownExtended=e=>e._extendedAttrs===none?e._extendedAttrs={}:e._extendedAttrs;class h{constructor(e,t,s=!1){this.isWrapped=s,this._combined=none,this._extendedAttrs=none,',
  ],
  ['length>1?(this._combined[e]=t[1]', 'length>1?(ownCombined(this)[e]=t[1]'],
  [
    '2097152&t.content&&(this._combined[e]=t.combinedData),268435456&t.bg&&(this._extendedAttrs[e]=t.extended)',
    '2097152&t.content&&(ownCombined(this)[e]=t.combinedData),268435456&t.bg&&(ownExtended(this)[e]=t.extended)',
  ],
  [
    '268435456&i.bg&&(this._extendedAttrs[e]=i.extended)',
    '268435456&i.bg&&(ownExtended(this)[e]=i.extended)',
  ],
  [
    '2097151&i?(this._combined[e]=(0,o.stringFromCodePoint)',
    '2097151&i?(ownCombined(this)[e]=(0,o.stringFromCodePoint)',
  ],
  [
    'this._combined={},this._extendedAttrs={};for(let t=0;',
    'this._combined=none,this._extendedAttrs=none;for(let t=0;',
  ],
  [
    'this._combined={};for(const t in e._combined)this._combined[t]=e._combined[t];this._extendedAttrs={};for(const t in e._extendedAttrs)this._extendedAttrs[t]=e._extendedAttrs[t];',
    'this._combined=e._combined===none?none:{...e._combined},this._extendedAttrs=e._extendedAttrs===none?none:{...e._extendedAttrs};',
  ],
  [
    'for(const t in this._combined)e._combined[t]=this._combined[t];for(const t in this._extendedAttrs)e._extendedAttrs[t]=this._extendedAttrs[t];return',
    'e._combined=this._combined===none?none:{...this._combined},e._extendedAttrs=this._extendedAttrs===none?none:{...this._extendedAttrs};return',
  ],
  [
    'for(let r=i-1;r>=0;r--){for(let e=0;e<3;e++)this._data[3*(s+r)+e]=n[3*(t+r)+e];268435456&n[3*(t+r)+2]&&(this._extendedAttrs[s+r]=',
    'for(let r=i-1;r>=0;r--){for(let e=0;e<3;e++)this._data[3*(s+r)+e]=n[3*(t+r)+e];268435456&n[3*(t+r)+2]&&(ownExtended(this)[s+r]=',
  ],
  [
    'for(let r=0;r<i;r++){for(let e=0;e<3;e++)this._data[3*(s+r)+e]=n[3*(t+r)+e];268435456&n[3*(t+r)+2]&&(this._extendedAttrs[s+r]=',
    'for(let r=0;r<i;r++){for(let e=0;e<3;e++)this._data[3*(s+r)+e]=n[3*(t+r)+e];268435456&n[3*(t+r)+2]&&(ownExtended(this)[s+r]=',
  ],
  ['(this._combined[r-t+s]=e._combined[r])', '(ownCombined(this)[r-t+s]=e._combined[r])'],
  [
    '(this._activeBuffer.lines.get(s+1).isWrapped=!1);s--;)',
    'this._activeBuffer.lines.get(s+1)&&(this._activeBuffer.lines.get(s+1).isWrapped=!1);s--;)',
  ],
  ['0===f&&0!==d&&2===u[d-1].getWidth', '0===f&&0!==d&&u[d]&&2===u[d-1].getWidth'],
  ['u[d].replaceCells(f,i,n);', 'u[d]?.replaceCells(f,i,n);'],
  [
    'let g=this._parser.precedingJoinState;for(let v=t;v<s;++v){if(i=e[v],i<127&&n)',
    // 2: a width of one, nothing joined (UnicodeService.createPropertyValue).
    'let g=this._parser.precedingJoinState;const plain=!n&&!o&&!d&&!this._getCurrentLinkId();for(let v=t;v<s;++v){if(i=e[v],plain&&i>31&&i<127&&this._activeBuffer.x<a){_.setCellFromCodepoint(this._activeBuffer.x++,i,1,f),g=2;continue}if(i<127&&n)',
  ],
];
