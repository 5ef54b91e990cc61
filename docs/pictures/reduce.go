package main

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"slices"
)

// reduce rewrites a picture with its 256 most frequent colors: a page of text has few more.
func reduce(file string) error {
	full, err := os.ReadFile(file) //nolint:gosec // just written
	if err != nil {
		return err
	}
	picture, err := png.Decode(bytes.NewReader(full))
	if err != nil {
		return err
	}
	few := image.NewPaletted(picture.Bounds(), frequent(picture))
	draw.Draw(few, few.Bounds(), picture, picture.Bounds().Min, draw.Src)
	var small bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&small, few); err != nil {
		return err
	}
	return os.WriteFile(file, small.Bytes(), 0o600)
}

func frequent(picture image.Image) color.Palette {
	pixels := map[color.RGBA]int{}
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			pixels[color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA)]++
		}
	}
	colors := slices.SortedFunc(maps.Keys(pixels), func(a, b color.RGBA) int { return cmp.Compare(pixels[b], pixels[a]) })
	var palette color.Palette
	for _, c := range colors[:min(len(colors), 256)] {
		palette = append(palette, c)
	}
	return palette
}
