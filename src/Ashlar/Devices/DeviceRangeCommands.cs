using System.CommandLine;
using Ashlar.Blocks;

namespace Ashlar.CommandLine;

/// <summary>Commands on a range of bytes of a device: read, write, trim.</summary>
static class DeviceRangeCommands
{
    const int ChunkBytes = 1 << 20;

    public static Verb CreateRead(Terminal terminal)
    {
        var path = DeviceArguments.Device();
        var offset = DeviceArguments.Offset(terminal);
        var length = Setting.Create(
            terminal, "--length", "SIZE", "How many bytes [default: up to the end of the block]", ByteSize.Parse, -1L);
        var raw = new Option<bool>("--raw") { Description = "Write the bytes themselves instead of a dump" };
        return new Verb(
            "read",
            "Read a range of bytes",
            [
                "ashlar device read disk.ashlar",
                "ashlar device read disk.ashlar --offset 5000 --length 5",
                "ashlar device read disk.ashlar --length 8MiB --raw",
            ],
            async (invocation, cancellationToken) =>
            {
                if (invocation.Format != OutputFormat.Table)
                    throw Usage.Error("read gives bytes, not objects", "leave --output away; --raw gives the bytes themselves");
                await using var driver = new BlockDriver(DeviceArguments.Open(invocation, path));
                var start = invocation.Get(offset);
                var blockSize = driver.Device.Geometry.BlockSizeBytes;
                var count = invocation.IsGiven(length) ? invocation.Get(length) : blockSize - start % blockSize;
                await ReadAsync(invocation.Terminal, driver, start, count, invocation.Get(raw), cancellationToken);
                return ExitCode.Ok;
            })
        { path, offset, length, raw };
    }

    public static Verb CreateWrite(Terminal terminal)
    {
        var path = DeviceArguments.Device();
        var offset = DeviceArguments.Offset(terminal);
        var data = new DeviceData(terminal);
        var verb = new Verb(
            "write",
            "Write bytes; they are on disk when the command ends",
            [
                "ashlar device write disk.ashlar --text hello",
                "ashlar device write disk.ashlar --offset 4KiB --hex deadbeef",
                "ashlar device write disk.ashlar --file -",
            ],
            async (invocation, cancellationToken) =>
            {
                var chunks = data.Read(invocation);
                await using var driver = new BlockDriver(DeviceArguments.Open(invocation, path));
                var start = invocation.Get(offset);
                long written = 0;
                foreach (var chunk in chunks)
                {
                    await driver.WriteAsync(start + written, chunk, WriteOptions.None, cancellationToken);
                    written += chunk.Length;
                }
                await driver.FlushAsync(cancellationToken);
                DeviceScreens.WriteChange(
                    invocation,
                    DeviceScreens.ChangeOf(driver.Device, "write", start, written),
                    $"{written} bytes are written at byte {start}");
                return ExitCode.Ok;
            })
        { path, offset };
        foreach (var option in data.All) verb.Options.Add(option);
        return verb;
    }

    public static Verb CreateTrim(Terminal terminal)
    {
        var path = DeviceArguments.Device();
        var offset = DeviceArguments.Offset(terminal);
        var length = Setting.Create(terminal, "--length", "SIZE", "How many bytes", ByteSize.Parse, 0L);
        length.DefaultValueFactory = null;
        length.Required = true;
        return new Verb(
            "trim",
            "Trim the whole blocks within a range of bytes: they read as zeros",
            ["ashlar device trim disk.ashlar --offset 4KiB --length 8KiB"],
            async (invocation, cancellationToken) =>
            {
                await using var driver = new BlockDriver(DeviceArguments.Open(invocation, path));
                await driver.TrimAsync(invocation.Get(offset), invocation.Get(length), cancellationToken);
                await driver.FlushAsync(cancellationToken);
                var blockSize = driver.Device.Geometry.BlockSizeBytes;
                var first = (invocation.Get(offset) + blockSize - 1) / blockSize;
                var count = Math.Max((invocation.Get(offset) + invocation.Get(length)) / blockSize - first, 0);
                DeviceScreens.WriteChange(
                    invocation,
                    DeviceScreens.ChangeOf(driver.Device, "trim", first * blockSize, count * blockSize),
                    count == 0
                        ? $"no whole block of {blockSize} bytes is within the range"
                        : $"{DeviceScreens.BlockRange(first, count)}: trimmed");
                return ExitCode.Ok;
            })
        { path, offset, length };
    }

    static async Task ReadAsync(
        Terminal terminal,
        BlockDriver driver,
        long offsetBytes,
        long lengthBytes,
        bool isRaw,
        CancellationToken cancellationToken)
    {
        if (lengthBytes > driver.SizeBytes - offsetBytes) // All or nothing, although it is read in parts.
            throw new OutOfBoundsException(driver.Device.Name, offsetBytes, lengthBytes, driver.Device.Geometry);
        await using var output = isRaw ? terminal.OpenOut() : Stream.Null;
        var dump = new HexDump(terminal.Out, offsetBytes);
        var chunk = new byte[Math.Min(ChunkBytes, lengthBytes)];
        while (lengthBytes > 0)
        {
            var part = chunk.AsMemory(0, (int)Math.Min(chunk.Length, lengthBytes));
            await driver.ReadAsync(offsetBytes, part, cancellationToken);
            if (isRaw) await output.WriteAsync(part, cancellationToken);
            else dump.Write(part.Span);
            offsetBytes += part.Length;
            lengthBytes -= part.Length;
        }
        if (!isRaw) dump.End();
    }
}
