/** Styles as SGR; colours can be left out. */
export interface TextStyle {
  readonly colour: boolean;
  readonly unicode: boolean;
}
