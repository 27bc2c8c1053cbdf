/**
 * Whether the text of a page can be read: what is too small, too pale, on top of something else, or outside. Text that is
 * painted on a canvas counts as well, so its painting is written down from the beginning.
 */
import type { Page } from "puppeteer-core";

export interface Legibility {
  /** How many boxes of text were looked at, in the page and on canvases. */
  readonly texts: number;
  readonly onCanvas: number;
  /** What cannot be read, one line each. */
  readonly problems: readonly string[];
}

/** What a canvas holds: a text, its box in the canvas' own pixels, its size and colour. */
interface Painted {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly fontSize: number;
  readonly colour: string;
}

declare global {
  interface HTMLCanvasElement {
    painted?: Painted[];
  }
}

/** To be called before the page is opened. */
export async function recordPaintedText(page: Page): Promise<void> {
  await page.evaluateOnNewDocument(() => {
    /** Lets a method be preceded by something that may look at its object and change its arguments. */
    // oxlint-disable-next-line unicorn/consistent-function-scoping -- the page knows nothing of what is outside.
    const precede = <Self extends object>(
      prototype: Self,
      name: string,
      before: (self: Self, words: unknown[]) => void,
    ) => {
      const original: (...words: unknown[]) => unknown = Reflect.get<object, string>(prototype, name);
      Reflect.set(prototype, name, function preceded(this: Self, ...words: unknown[]) {
        before(this, words);
        return Reflect.apply(original, this, words);
      });
    };
    // What is behind a text is read from the canvas later.
    precede(HTMLCanvasElement.prototype, "getContext", (_, words) => {
      words[1] = { ...(words[1] as object | undefined), willReadFrequently: true };
    });
    precede(CanvasRenderingContext2D.prototype, "clearRect", ({ canvas }, [, , width, height]) => {
      if (Number(width) >= canvas.width && Number(height) >= canvas.height) {
        canvas.painted = [];
      }
    });
    precede(CanvasRenderingContext2D.prototype, "fillText", (context, words) => {
      const [text, x, y] = words as [string, number, number];
      const box = context.measureText(text);
      const corners = [
        { x: x - box.actualBoundingBoxLeft, y: y - box.actualBoundingBoxAscent },
        { x: x + box.actualBoundingBoxRight, y: y + box.actualBoundingBoxDescent },
      ].map((corner) => context.getTransform().transformPoint(corner));
      if (text.trim() !== "") {
        (context.canvas.painted ??= []).push({
          text,
          left: Math.min(...corners.map((corner) => corner.x)),
          right: Math.max(...corners.map((corner) => corner.x)),
          top: Math.min(...corners.map((corner) => corner.y)),
          bottom: Math.max(...corners.map((corner) => corner.y)),
          fontSize: Number(/([\d.]+)px/u.exec(context.font)![1]),
          colour: context.fillStyle as string,
        });
      }
    });
  });
}

/** Looks at all text and all controls that are shown. */
export async function checkLegibility(page: Page): Promise<Legibility> {
  return page.evaluate(() => {
    /** WCAG 2.2, 1.4.3, level AA. */
    const CONTRAST_MIN = 4.5;
    const FONT_SIZE_MIN = 12;
    /** A line's box is higher than its letters by so much, above and below. */
    const LEADING = 2;

    type Rgb = readonly [number, number, number];
    interface Box {
      readonly text: string;
      /** What it is a part of: the lines of one text are not compared with each other. */
      readonly owner: object;
      readonly left: number;
      readonly right: number;
      readonly top: number;
      readonly bottom: number;
    }

    const problems: string[] = [];
    const boxes: Box[] = [];
    const scratch = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })!;

    /** A colour over another one. */
    const layOver = (colour: string, [red, green, blue]: Rgb): Rgb => {
      scratch.fillStyle = `rgb(${red}, ${green}, ${blue})`;
      scratch.fillRect(0, 0, 1, 1);
      scratch.fillStyle = colour;
      scratch.fillRect(0, 0, 1, 1);
      const [r, g, b] = scratch.getImageData(0, 0, 1, 1).data;
      return [r!, g!, b!];
    };
    const backgroundOf = (element: Element | null): Rgb =>
      element === null
        ? [255, 255, 255]
        : layOver(getComputedStyle(element).backgroundColor, backgroundOf(element.parentElement));
    const luminanceOf = (rgb: Rgb): number => {
      const [red, green, blue] = rgb.map((channel) => {
        const share = channel / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
    };
    const judge = (text: string, colour: string, background: Rgb, fontSize: number): void => {
      const [light, dark] = [luminanceOf(layOver(colour, background)), luminanceOf(background)].toSorted(
        (a, b) => b - a,
      );
      const contrast = (light! + 0.05) / (dark! + 0.05);
      if (contrast < CONTRAST_MIN) {
        problems.push(`contrast ${contrast.toFixed(2)}: ${text}`);
      }
      if (fontSize < FONT_SIZE_MIN) {
        problems.push(`${fontSize} px: ${text}`);
      }
    };

    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const parent = node.parentElement!;
      const text = node.textContent!.trim().replaceAll(/\s+/gu, " ");
      if (text === "" || !parent.checkVisibility({ opacityProperty: true, visibilityProperty: true })) {
        continue;
      }
      const { color, fontSize } = getComputedStyle(parent);
      judge(text, color, backgroundOf(parent), Number.parseFloat(fontSize));
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const { left, right, top, bottom } of range.getClientRects()) {
        boxes.push({ text, owner: node, left, right, top: top + LEADING, bottom: bottom - LEADING });
      }
    }
    const inPage = boxes.length;
    for (const canvas of document.querySelectorAll("canvas")) {
      const frame = canvas.getBoundingClientRect();
      const scale = canvas.width / frame.width;
      for (const painted of canvas.painted ?? []) {
        const box = {
          text: painted.text,
          owner: painted,
          left: frame.left + painted.left / scale,
          right: frame.left + painted.right / scale,
          top: frame.top + painted.top / scale,
          bottom: frame.top + painted.bottom / scale,
        };
        boxes.push(box);
        // What it is painted on shows beside it.
        const [red, green, blue, alpha] = canvas
          .getContext("2d")!
          .getImageData(Math.floor(painted.left - 2), Math.round((painted.top + painted.bottom) / 2), 1, 1).data;
        const behind = layOver(`rgb(${red} ${green} ${blue} / ${alpha! / 255})`, backgroundOf(canvas));
        judge(painted.text, painted.colour, behind, painted.fontSize / scale);
        if (box.left < frame.left || box.right > frame.right || box.top < frame.top || box.bottom > frame.bottom) {
          problems.push(`cut off by its canvas: ${painted.text}`);
        }
      }
    }
    const onCanvas = boxes.length - inPage;
    for (const control of document.querySelectorAll("input, button, select")) {
      const { left, right, top, bottom } = control.getBoundingClientRect();
      boxes.push({ text: `<${control.localName}>`, owner: control, left, right, top, bottom });
    }

    for (const [index, one] of boxes.entries()) {
      for (const other of boxes.slice(index + 1)) {
        const width = Math.min(one.right, other.right) - Math.max(one.left, other.left);
        const height = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
        if (one.owner !== other.owner && width > 0.5 && height > 0.5) {
          problems.push(`overlap: ${one.text} | ${other.text}`);
        }
      }
    }
    for (const element of document.body.querySelectorAll("*")) {
      const { left, right } = element.getBoundingClientRect();
      if (left < 0 || right > document.documentElement.clientWidth + 0.5) {
        problems.push(`outside the window: <${element.localName}> from ${left} to ${right}`);
      }
    }
    if (document.documentElement.scrollWidth > document.documentElement.clientWidth) {
      problems.push(`the page scrolls sideways: it is ${document.documentElement.scrollWidth} px wide`);
    }
    return { texts: boxes.length, onCanvas, problems };
  });
}
