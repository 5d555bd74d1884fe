using System.CommandLine;
using System.Globalization;
using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar device</c>: virtual devices in files, without a server.</summary>
static class DeviceCommands
{
    const int ChunkBytes = 1 << 20;

    public static Noun Create(Terminal terminal) => new("device", "Virtual block devices in files, to look into and to try out",
    [
        "ashlar device create disk.ashlar",
        "ashlar device write disk.ashlar --offset 5000 --text hello",
        "ashlar device read disk.ashlar --offset 4096",
        "ashlar device show disk.ashlar",
    ])
    {
        CreateCreate(terminal),
        CreateShow(),
        CreateRead(terminal),
        CreateWrite(terminal),
        CreateTrim(terminal),
        CreateMarkBad(),
        CreateReplace(),
        CreateStats(),
        CreateVerify(),
    };

    static Verb CreateCreate(Terminal terminal)
    {
        var path = PathOf();
        var size = Setting.Create(terminal, "--size", "SIZE", "Size, a whole number of blocks [default: 8MiB]", ByteSize.Parse, 8L << 20);
        var blockSize = Setting.Create(terminal, "--block-size", "BYTES", "512 or 4096 [default: 4096]", ParseBlockSize, 4096);
        return new Verb(
            "create",
            "Create a device, with every block free",
            ["ashlar device create disk.ashlar", "ashlar device create disk.ashlar --size 1GiB --block-size 512"],
            async (invocation, _) =>
            {
                var (blockCount, rest) = Math.DivRem(invocation.Get(size), invocation.Get(blockSize));
                if (rest != 0 || blockCount is < 1 or > DeviceFile.MaxBlockCount)
                {
                    throw Usage.Error(
                        $"--size: {invocation.Get(size)} bytes are not between 1 and 2^32 whole blocks of {invocation.Get(blockSize)} bytes");
                }
                await using var device = DeviceFile.Create(
                    FileSystems.Real, FullPath(invocation, path), invocation.Terminal.Entropy, blockCount, invocation.Get(blockSize));
                DeviceScreens.WriteFacts(
                    invocation, device, $"{device.Name} is created: {ByteSize.Format(device.Geometry.SizeBytes)}, {blockCount} free blocks of {invocation.Get(blockSize)} bytes");
                return ExitCode.Ok;
            })
        { path, size, blockSize };
    }

    static Verb CreateShow()
    {
        var path = PathOf();
        return new Verb(
            "show",
            "Show a device and a map of its blocks",
            ["ashlar device show disk.ashlar", "ashlar device show disk.ashlar -o json"],
            async (invocation, _) =>
            {
                await using var device = DeviceFile.Open(FileSystems.Real, FullPath(invocation, path), isReadOnly: true);
                DeviceScreens.WriteFacts(invocation, device);
                return ExitCode.Ok;
            })
        { path };
    }

    static Verb CreateRead(Terminal terminal)
    {
        var path = PathOf();
        var offset = Offset(terminal);
        var length = Setting.Create(terminal, "--length", "SIZE", "How many bytes [default: up to the end of the block]", ByteSize.Parse, -1L);
        var raw = new Option<bool>("--raw") { Description = "Write the bytes themselves instead of a dump" };
        return new Verb(
            "read",
            "Read a range of bytes",
            ["ashlar device read disk.ashlar", "ashlar device read disk.ashlar --offset 5000 --length 5", "ashlar device read disk.ashlar --length 8MiB --raw"],
            async (invocation, cancellationToken) =>
            {
                if (invocation.Format != OutputFormat.Table) throw Usage.Error("read gives bytes, not objects", "leave --output away, or add --raw");
                await using var driver = Open(invocation, path);
                var start = invocation.Get(offset);
                var blockSize = driver.Device.Geometry.BlockSizeBytes;
                var count = invocation.IsGiven(length) ? invocation.Get(length) : blockSize - start % blockSize;
                await ReadAsync(invocation.Terminal, driver, start, count, invocation.Get(raw), cancellationToken);
                return ExitCode.Ok;
            })
        { path, offset, length, raw };
    }

    static Verb CreateWrite(Terminal terminal)
    {
        var path = PathOf();
        var offset = Offset(terminal);
        var data = new DeviceData(terminal);
        var verb = new Verb(
            "write",
            "Write bytes; they are on disk when the command ends",
            ["ashlar device write disk.ashlar --text hello", "ashlar device write disk.ashlar --offset 4KiB --hex deadbeef", "ashlar device write disk.ashlar --file -"],
            async (invocation, cancellationToken) =>
            {
                var chunks = data.Read(invocation);
                await using var driver = Open(invocation, path);
                var start = invocation.Get(offset);
                long written = 0;
                foreach (var chunk in chunks)
                {
                    await driver.WriteAsync(start + written, chunk, WriteOptions.None, cancellationToken);
                    written += chunk.Length;
                }
                await driver.FlushAsync(cancellationToken);
                DeviceScreens.WriteChange(
                    invocation, ChangeOf(driver.Device, "write", start, written), $"{written} bytes are written at byte {start}");
                return ExitCode.Ok;
            })
        { path, offset };
        foreach (var option in data.All) verb.Options.Add(option);
        return verb;
    }

    static Verb CreateTrim(Terminal terminal)
    {
        var path = PathOf();
        var offset = Offset(terminal);
        var length = Setting.Create(terminal, "--length", "SIZE", "How many bytes", ByteSize.Parse, 0L);
        length.DefaultValueFactory = null;
        length.Required = true;
        return new Verb(
            "trim",
            "Trim the whole blocks within a range of bytes: they read as zeros",
            ["ashlar device trim disk.ashlar --offset 4KiB --length 8KiB"],
            async (invocation, cancellationToken) =>
            {
                await using var driver = Open(invocation, path);
                await driver.TrimAsync(invocation.Get(offset), invocation.Get(length), cancellationToken);
                await driver.FlushAsync(cancellationToken);
                var blockSize = driver.Device.Geometry.BlockSizeBytes;
                var first = (invocation.Get(offset) + blockSize - 1) / blockSize;
                var count = Math.Max((invocation.Get(offset) + invocation.Get(length)) / blockSize - first, 0);
                DeviceScreens.WriteChange(
                    invocation,
                    ChangeOf(driver.Device, "trim", first * blockSize, count * blockSize),
                    count == 0 ? $"no whole block of {blockSize} bytes is within the range" : $"{DeviceScreens.BlockRange(first, count)}: trimmed");
                return ExitCode.Ok;
            })
        { path, offset, length };
    }

    static Verb CreateMarkBad()
    {
        var (path, block, count) = (PathOf(), Block(), Count());
        return new Verb(
            "mark-bad",
            "Declare blocks bad: requests for them fail until they are replaced",
            ["ashlar device mark-bad disk.ashlar 7", "ashlar device mark-bad disk.ashlar 7 --count 2"],
            async (invocation, cancellationToken) =>
            {
                await using var device = DeviceFile.Open(FileSystems.Real, FullPath(invocation, path));
                var (first, blocks) = (invocation.Get(block), invocation.Get(count));
                await device.MarkBadAsync(new Lba(first), blocks, cancellationToken);
                DeviceScreens.WriteChange(invocation, ChangeOfBlocks(device, "mark-bad", first, blocks), $"{DeviceScreens.BlockRange(first, blocks)}: bad");
                return ExitCode.Ok;
            })
        { path, block, count };
    }

    static Verb CreateReplace()
    {
        var (path, block, count) = (PathOf(), Block(), Count());
        return new Verb(
            "replace",
            "Replace bad blocks by blank ones; others stay as they are",
            ["ashlar device replace disk.ashlar 7"],
            async (invocation, cancellationToken) =>
            {
                await using var device = DeviceFile.Open(FileSystems.Real, FullPath(invocation, path));
                var (first, blocks) = (invocation.Get(block), invocation.Get(count));
                device.Geometry.CheckRange(device.Name, new Lba(first), blocks);
                long replaced = 0;
                for (var i = first; i < first + blocks; i++)
                    replaced += await device.ReplaceBlockAsync(new Lba(i), cancellationToken) ? 1 : 0;
                DeviceScreens.WriteChange(
                    invocation,
                    ChangeOfBlocks(device, "replace", first, blocks),
                    replaced == 0
                        ? $"{DeviceScreens.BlockRange(first, blocks)}: nothing to replace"
                        : $"{DeviceScreens.BlockRange(first, blocks)}: {replaced} replaced, blank now");
                return ExitCode.Ok;
            })
        { path, block, count };
    }

    static Verb CreateStats()
    {
        var path = PathOf();
        return new Verb(
            "stats",
            "Show what was done to a device since it was created",
            ["ashlar device stats disk.ashlar", "ashlar device stats disk.ashlar -o json"],
            async (invocation, _) =>
            {
                await using var device = DeviceFile.Open(FileSystems.Real, FullPath(invocation, path), isReadOnly: true);
                DeviceScreens.WriteCounts(invocation, device);
                return ExitCode.Ok;
            })
        { path };
    }

    static Verb CreateVerify()
    {
        var path = PathOf();
        return new Verb(
            "verify",
            "Check a device: header, states, and that every used block can be read",
            ["ashlar device verify disk.ashlar"],
            async (invocation, cancellationToken) =>
            {
                await using var device = DeviceFile.Open(FileSystems.Real, FullPath(invocation, path), isReadOnly: true);
                var verdict = new DeviceVerdict
                {
                    Path = device.Name,
                    BlocksRead = await ReadUsedBlocksAsync(device, cancellationToken),
                    BadBlocks = device.CountStates().Bad,
                };
                invocation.Write(verdict, DeviceJson.Strict.DeviceVerdict, [verdict.Path], (writer, style) => writer.WriteLine(
                    verdict.BadBlocks == 0
                        ? $"{style.Good("intact:")} header, states and {Blocks(verdict.BlocksRead, "used")}"
                        : $"{style.Warning("degraded:")} {Blocks(verdict.BadBlocks, "bad")}; header, states and {Blocks(verdict.BlocksRead, "used")} are intact"));
                return verdict.BadBlocks == 0 ? ExitCode.Ok : ExitCode.Degraded;
            })
        { path };
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

    static async Task<long> ReadUsedBlocksAsync(DeviceFile device, CancellationToken cancellationToken)
    {
        var blockSize = device.Geometry.BlockSizeBytes;
        var chunk = new byte[ChunkBytes];
        long blocksRead = 0;
        long run;
        for (long block = 0; block < device.Geometry.BlockCount; block += run)
        {
            run = device.DescribeRun(new Lba(block), out var state);
            if (state != BlockState.Used) continue;
            run = Math.Min(run, ChunkBytes / blockSize);
            await device.ReadAsync(new Lba(block), chunk.AsMemory(0, (int)run * blockSize), cancellationToken);
            blocksRead += run;
        }
        return blocksRead;
    }

    static string Blocks(long count, string state) => count == 1 ? $"1 {state} block" : $"{count} {state} blocks";

    static BlockDriver Open(Invocation invocation, Argument<string> path) =>
        new(DeviceFile.Open(FileSystems.Real, FullPath(invocation, path)));

    static string FullPath(Invocation invocation, Argument<string> path) => Path.GetFullPath(invocation.Get(path));

    static DeviceChange ChangeOf(IBlockDevice device, string operation, long offsetBytes, long lengthBytes) =>
        new() { Path = device.Name, Operation = operation, OffsetBytes = offsetBytes, LengthBytes = lengthBytes };

    static DeviceChange ChangeOfBlocks(DeviceFile device, string operation, long first, long count) =>
        ChangeOf(device, operation, first * device.Geometry.BlockSizeBytes, count * device.Geometry.BlockSizeBytes);

    static Argument<string> PathOf() => new("DEVICE")
    {
        Description = "The file that the device is in",
        CustomParser = result =>
        {
            var path = result.Tokens[0].Value;
            if (path.Length == 0 || path.Contains('\0')) result.AddError($"'{path}' is not the path of a file");
            return path;
        },
    };

    static Option<long> Offset(Terminal terminal) =>
        Setting.Create(terminal, "--offset", "OFFSET", "First byte: 5000, 4KiB [default: 0]", ByteSize.Parse, 0L);

    static Argument<long> Block() => new("BLOCK")
    {
        Description = "Number of the first block, from 0",
        CustomParser = result =>
        {
            if (long.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var block)) return block;
            result.AddError($"'{result.Tokens[0].Value}' is not the number of a block");
            return 0;
        },
    };

    static Option<long> Count() => new("--count")
    {
        Description = "How many blocks [default: 1]",
        HelpName = "BLOCKS",
        DefaultValueFactory = _ => 1,
        CustomParser = result =>
        {
            if (long.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0) return count;
            result.AddError($"--count: '{result.Tokens[0].Value}' is not a number of blocks");
            return 0;
        },
    };

    static int ParseBlockSize(string text) => ByteSize.Parse(text) switch
    {
        512 => 512,
        4096 => 4096,
        _ => throw new FormatException($"'{text}' is not offered: expected 512 or 4096"),
    };
}
