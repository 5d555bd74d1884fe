using System.Globalization;
using System.Numerics;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>A map as text: a character for each region, lines from the beginning of the volume to its end. It needs no colour.</summary>
static class VolumeMapPicture
{
    const int Lines = 8, LeastColumns = 16, MostColumns = 128;

    // From little to all; what is empty is a dot, which is seen, and yet not taken for something.
    const string Shades = ".-+*#", Heat = ".123456789";

    const char Reserved = 'o';

    // Unallocated, reserved, shared, exclusive, changed in parts, changed.
    const string Kinds = ".o=#xX";

    /// <summary>Characters of a line.</summary>
    public static int ColumnsFor(int? width)
    {
        var most = Math.Clamp((width ?? TextLayout.DefaultWidth) - 12, LeastColumns, MostColumns);
        return most / LeastColumns * LeastColumns;
    }

    /// <summary>Regions to ask for.</summary>
    public static int CellsFor(int? width) => ColumnsFor(width) * Lines;

    public static void Write(TextWriter writer, Style style, string name, VolumeMap map, int columns)
    {
        if (map.RegionBytes <= 0 || map.Accesses.RegionBytes <= 0 || map.ExclusiveBytes.Count == 0
            || map.SharedBytes.Count != map.ExclusiveBytes.Count || map.ReservedBytes.Count != map.ExclusiveBytes.Count
            || (map.ChangedBytes ?? map.SharedBytes).Count != map.ExclusiveBytes.Count)
            throw new CommandException(ExitCode.Failed, ProblemTypes.Failed, "what the server gives is not a map");
        var (shared, reserved) = (map.SharedBytes.Sum(), map.ReservedBytes.Sum());
        var data = map.ExclusiveBytes.Sum() + shared;
        writer.WriteLine(
            $"{style.Bold(name)}: {ByteSize.Format(map.SizeBytes)}, {ByteSize.Format(data)} of data"
            + (shared > 0 ? $" ({ByteSize.Format(shared)} of it shared)" : "")
            + (reserved > 0 ? $", {ByteSize.Format(reserved)} reserved" : "") + $"; a character is {ByteSize.Format(map.RegionBytes)}");
        if (map.UnreadablePieces > 0)
        {
            var count = map.UnreadablePieces.ToString(CultureInfo.InvariantCulture);
            writer.WriteLine(style.Bad($"{count} MiB of its map cannot be read and are left out"));
        }
        Draw(writer, style, "Data", map, columns, string.Concat(map.ExclusiveBytes.Select((_, cell) => ShadeOf(map, cell))));
        writer.WriteLine($"  {Shades[0]} nothing  {Shades[1]} up to a quarter  {Shades[2]} up to three  {Shades[3]} more  {Shades[4]} all  "
            + $"{Reserved} reserved only");
        if (map is { ChangedBytes: { } changed, Since: { } since })
        {
            Draw(
                writer,
                style,
                $"Changed since {ScreenText.Of(since)}: {ByteSize.Format(changed.Sum())}",
                map,
                columns,
                string.Concat(changed.Select((_, cell) => KindOf(map, cell))));
            writer.WriteLine($"  {Kinds[0]} unallocated  {Kinds[1]} reserved only  {Kinds[2]} shared  {Kinds[3]} exclusive  "
                + $"{Kinds[4]} changed in parts  {Kinds[5]} changed");
        }
        if (map.Accesses.Reads.Count + map.Accesses.Writes.Count == 0)
        {
            writer.WriteLine();
            writer.WriteLine("Nothing was read or written since the server was started.");
            return;
        }
        Draw(writer, style, "Reads", map, columns, HeatOf(map, map.Accesses.Reads));
        Draw(writer, style, "Writes", map, columns, HeatOf(map, map.Accesses.Writes));
        writer.WriteLine($"  {Heat[0]} none  1 once  2 twice  3 four times or more, and so on to 9, 256 times");
        writer.WriteLine($"  all counts are halved every {Duration.Format(TimeSpan.FromSeconds(map.Accesses.HalfLifeSeconds))}");
    }

    static void Draw(TextWriter writer, Style style, string title, VolumeMap map, int columns, string cells)
    {
        writer.WriteLine();
        writer.WriteLine(style.Bold(title));
        for (var start = 0; start < cells.Length; start += columns)
        {
            var at = ByteSize.Format(start * map.RegionBytes).PadLeft(10);
            var line = cells.Substring(start, Math.Min(columns, cells.Length - start));
            writer.WriteLine($"{style.Dim(at)}  {line}");
        }
    }

    static char ShadeOf(VolumeMap map, int cell)
    {
        var (data, reserved) = (map.ExclusiveBytes[cell] + map.SharedBytes[cell], map.ReservedBytes[cell]);
        if (data <= 0) return reserved > 0 ? Reserved : Shades[0];
        var whole = Math.Min(map.RegionBytes, map.SizeBytes - (cell * map.RegionBytes));
        return data >= whole ? Shades[4] : data > whole / 4 * 3 ? Shades[3] : data > whole / 4 ? Shades[2] : Shades[1];
    }

    // What has changed goes before whose it is, and that before nothing.
    static char KindOf(VolumeMap map, int cell)
    {
        var whole = Math.Min(map.RegionBytes, map.SizeBytes - (cell * map.RegionBytes));
        if (map.ChangedBytes![cell] > 0) return map.ChangedBytes[cell] >= whole ? Kinds[5] : Kinds[4];
        if (map.ExclusiveBytes[cell] > 0) return Kinds[3];
        if (map.SharedBytes[cell] > 0) return Kinds[2];
        return map.ReservedBytes[cell] > 0 ? Kinds[1] : Kinds[0];
    }

    // A region of counts may be longer than one of the picture: then its requests are everywhere in it. Of a shorter one they add up.
    static string HeatOf(VolumeMap map, IReadOnlyList<long> counts)
    {
        var heat = new long[map.ExclusiveBytes.Count];
        for (var i = 0; i < counts.Count; i++)
        {
            if (counts[i] <= 0) continue;
            var first = i * map.Accesses.RegionBytes / map.RegionBytes;
            var last = (((i + 1) * map.Accesses.RegionBytes) - 1) / map.RegionBytes;
            for (var cell = first; cell <= last && cell < heat.Length; cell++) heat[cell] += counts[i];
        }
        return string.Concat(heat.Select(count => Heat[count <= 0 ? 0 : Math.Min(Heat.Length - 1, 1 + BitOperations.Log2((ulong)count))]));
    }
}
