const { Segmenter } = Intl;

/**
 * In the place of `Intl.Segmenter`, the first of which takes 15 ms: libraries make one when they are loaded, and
 * most texts need none.
 */
export class LazySegmenter {
  private made: Intl.Segmenter | null = null;

  constructor(
    private readonly locales?: Intl.LocalesArgument,
    private readonly options?: Intl.SegmenterOptions,
  ) {}

  segment(text: string): Intl.Segments {
    this.made ??= new Segmenter(this.locales, this.options);
    return this.made.segment(text);
  }
}
