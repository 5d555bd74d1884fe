using System.Globalization;
using System.Text;
using Ashlar.Blocks;
using Ashlar.Blocks.Devices;

namespace Ashlar.CommandLine;

/// <summary>What people see of devices.</summary>
static class DeviceScreens
{
    const int MapColumns = 64;
    const int MapCells = 16 * MapColumns;

    public static void WriteFacts(Invocation invocation, DeviceFile device, string? headline = null)
    {
        var facts = FactsOf(device);
        if (headline is not null && invocation.IsSilent) return;
        invocation.Write(facts, DeviceJson.Strict.DeviceFacts, [facts.Path], (writer, style) =>
        {
            if (headline is not null)
            {
                writer.WriteLine(headline);
                return;
            }
            new FactSheet()
                .Add("Device", facts.Path)
                .Add("Size", $"{ByteSize.Format(facts.SizeBytes)} ({facts.BlockCount} blocks of {facts.BlockSizeBytes} bytes)")
                .Add("On disk", ByteSize.Format(facts.AllocatedBytes))
                .Add("Free", Blocks(facts.Blocks.Free))
                .Add("Used", Blocks(facts.Blocks.Used))
                .Add("Trimmed", Blocks(facts.Blocks.Trimmed))
                .Add("Bad", Blocks(facts.Blocks.Bad))
                .Add("Id", facts.Id.ToString("D"))
                .WriteTo(writer, style, invocation.Terminal.Width);
            writer.WriteLine();
            WriteMap(writer, style, device);
        });
    }

    public static void WriteCounts(Invocation invocation, DeviceFile device)
    {
        var counters = device.GetLifetimeStatistics();
        var counts = new DeviceCounts
        {
            Path = device.Name,
            Reads = counters.Reads,
            Writes = counters.Writes,
            Trims = counters.Trims,
            Flushes = counters.Flushes,
            Failures = counters.Failures,
            BytesRead = counters.BytesRead,
            BytesWritten = counters.BytesWritten,
        };
        invocation.Write(counts, DeviceJson.Strict.DeviceCounts, [counts.Path], (writer, style) => new FactSheet()
            .Add("Reads", $"{counts.Reads} ({ByteSize.Format(counts.BytesRead)})")
            .Add("Writes", $"{counts.Writes} ({ByteSize.Format(counts.BytesWritten)})")
            .Add("Trims", counts.Trims.ToString(CultureInfo.InvariantCulture))
            .Add("Flushes", counts.Flushes.ToString(CultureInfo.InvariantCulture))
            .Add("Failures", counts.Failures.ToString(CultureInfo.InvariantCulture))
            .WriteTo(writer, style, invocation.Terminal.Width));
        invocation.Tell("Requests for whole blocks since the device was created, up to its last orderly close.");
    }

    public static void WriteChange(Invocation invocation, DeviceChange change, string sentence) =>
        invocation.WriteChange(change, DeviceJson.Strict.DeviceChange, [change.Path], (writer, _) => writer.WriteLine(sentence));

    public static DeviceChange ChangeOf(IBlockDevice device, string operation, long offsetBytes, long lengthBytes) =>
        new() { Path = device.Name, Operation = operation, OffsetBytes = offsetBytes, LengthBytes = lengthBytes };

    public static DeviceChange ChangeOfBlocks(IBlockDevice device, string operation, long first, long count) =>
        ChangeOf(device, operation, first * device.Geometry.BlockSizeBytes, count * device.Geometry.BlockSizeBytes);

    /// <summary>"block 7", "blocks 7 to 9".</summary>
    public static string BlockRange(long first, long count) =>
        count == 1 ? $"block {first}" : $"blocks {first} to {first + count - 1}";

    static DeviceFacts FactsOf(DeviceFile device)
    {
        var counts = device.CountStates();
        return new DeviceFacts
        {
            Path = device.Name,
            Id = device.Id,
            SizeBytes = device.Geometry.SizeBytes,
            BlockSizeBytes = device.Geometry.BlockSizeBytes,
            BlockCount = device.Geometry.BlockCount,
            AllocatedBytes = device.AllocatedBytes,
            Blocks = new DeviceStates(counts.Free, counts.Used, counts.Trimmed, counts.Bad),
        };
    }

    static string Blocks(long count) => count == 1 ? "1 block" : $"{count} blocks";

    static void WriteMap(TextWriter writer, Style style, DeviceFile device)
    {
        var blockCount = device.Geometry.BlockCount;
        long perCell = 1;
        while (perCell * MapCells < blockCount) perCell *= 2;
        writer.WriteLine(style.Bold($"Map, {Blocks(perCell)} a character: . free, # used, + partly used, - trimmed, X bad"));
        var width = (blockCount - 1).ToString(CultureInfo.InvariantCulture).Length;
        for (long first = 0; first < blockCount; first += perCell * MapColumns)
        {
            var line = new StringBuilder();
            for (var start = first; start < Math.Min(first + perCell * MapColumns, blockCount); start += perCell)
                line.Append(Cell(device.CountStates(new Lba(start), Math.Min(perCell, blockCount - start))));
            writer.WriteLine($"{style.Dim(first.ToString(CultureInfo.InvariantCulture).PadLeft(width))}  {line}");
        }
    }

    static char Cell(BlockStateCounts counts) => counts switch
    {
        { Bad: > 0 } => 'X',
        { Used: > 0, Free: 0, Trimmed: 0 } => '#',
        { Used: > 0 } => '+',
        { Trimmed: > 0 } => '-',
        _ => '.',
    };
}
