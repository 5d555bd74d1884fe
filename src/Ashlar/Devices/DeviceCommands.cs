using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar device</c>: virtual devices in files, without a server.</summary>
static class DeviceCommands
{
    const int ChunkBytes = 1 << 20;

    public static Noun Create(Terminal terminal) => new(
        "device",
        "Virtual block devices in files, to look into and to try out",
        [
            "ashlar device create disk.ashlar",
            "ashlar device write disk.ashlar --offset 5000 --text hello",
            "ashlar device read disk.ashlar --offset 4096",
            "ashlar device show disk.ashlar",
        ],
        ServerUse.None)
    {
        CreateCreate(terminal),
        CreateShow(),
        DeviceRangeCommands.CreateRead(terminal),
        DeviceRangeCommands.CreateWrite(terminal),
        DeviceRangeCommands.CreateTrim(terminal),
        DeviceBlockCommands.CreateMarkBad(),
        DeviceBlockCommands.CreateReplace(),
        CreateStats(),
        CreateVerify(),
    };

    static Verb CreateCreate(Terminal terminal)
    {
        var path = DeviceArguments.Device();
        var size = Setting.Create(terminal, "--size", "SIZE", "Size, in whole blocks [default: 8MiB]", ByteSize.Parse, 8L << 20);
        var blockSize = BlockSize.Option(terminal, 4096);
        return new Verb(
            "create",
            "Create a device, with every block free",
            ["ashlar device create disk.ashlar", "ashlar device create disk.ashlar --size 1GiB --block-size 512"],
            async (invocation, _) =>
            {
                var blockSizeBytes = invocation.Get(blockSize);
                var sizeBytes = BlockSize.RoundUp(invocation, invocation.Get(size), blockSizeBytes);
                var blockCount = sizeBytes / blockSizeBytes;
                if (blockCount is < 1 or > DeviceFile.MaxBlockCount)
                {
                    throw Usage.Error(
                        $"--size: {ByteSize.Format(sizeBytes)} are not between 1 and 2^32 whole blocks of {blockSizeBytes} bytes");
                }
                var fullPath = DeviceArguments.FullPath(invocation, path);
                await using var device = DeviceFile.Create(
                    FileSystems.Real, fullPath, invocation.Terminal.Entropy, blockCount, blockSizeBytes);
                DeviceScreens.WriteFacts(
                    invocation,
                    device,
                    $"{fullPath} is created: {ByteSize.Format(sizeBytes)}, {blockCount} free blocks of {blockSizeBytes} bytes");
                return ExitCode.Ok;
            })
        { path, size, blockSize };
    }

    static Verb CreateShow()
    {
        var path = DeviceArguments.Device();
        return new Verb(
            "show",
            "Show a device and a map of its blocks",
            ["ashlar device show disk.ashlar", "ashlar device show disk.ashlar -o json"],
            async (invocation, _) =>
            {
                await using var device = DeviceArguments.OpenToLook(invocation, path);
                DeviceScreens.WriteFacts(invocation, device);
                return ExitCode.Ok;
            })
        { path };
    }

    static Verb CreateStats()
    {
        var path = DeviceArguments.Device();
        return new Verb(
            "stats",
            "Show what was done to a device since it was created",
            ["ashlar device stats disk.ashlar", "ashlar device stats disk.ashlar -o json"],
            async (invocation, _) =>
            {
                await using var device = DeviceArguments.OpenToLook(invocation, path);
                DeviceScreens.WriteCounts(invocation, device);
                return ExitCode.Ok;
            })
        { path };
    }

    static Verb CreateVerify()
    {
        var path = DeviceArguments.Device();
        return new Verb(
            "verify",
            "Check a device: header, states, and that every used block can be read",
            ["ashlar device verify disk.ashlar"],
            async (invocation, cancellationToken) =>
            {
                await using var device = DeviceArguments.OpenToLook(invocation, path);
                var verdict = new DeviceVerdict
                {
                    Path = device.Name,
                    BlocksRead = await ReadUsedBlocksAsync(device, cancellationToken),
                    BadBlocks = device.CountStates().Bad,
                };
                var intact = $"header, states and {Blocks(verdict.BlocksRead, "used")}";
                invocation.Write(verdict, DeviceJson.Strict.DeviceVerdict, [verdict.Path], (writer, style) => writer.WriteLine(
                    verdict.BadBlocks == 0
                        ? $"{style.Good("intact:")} {intact}"
                        : $"{style.Warning("degraded:")} {Blocks(verdict.BadBlocks, "bad")}; {intact} are intact"));
                return verdict.BadBlocks == 0 ? ExitCode.Ok : ExitCode.Degraded;
            })
        { path };
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
}
