using Ashlar.Blocks;

namespace Ashlar.CommandLine;

/// <summary>Commands on the state of blocks: mark-bad, replace.</summary>
static class DeviceBlockCommands
{
    public static Verb CreateMarkBad()
    {
        var (path, block, count) = (DeviceArguments.Device(), DeviceArguments.Block(), DeviceArguments.Count());
        return new Verb(
            "mark-bad",
            "Declare blocks bad: requests for them fail until they are replaced",
            ["ashlar device mark-bad disk.ashlar 7", "ashlar device mark-bad disk.ashlar 7 --count 2"],
            async (invocation, cancellationToken) =>
            {
                await using var device = DeviceArguments.Open(invocation, path);
                var (first, blocks) = (invocation.Get(block), invocation.Get(count));
                await device.MarkBadAsync(new Lba(first), blocks, cancellationToken);
                DeviceScreens.WriteChange(
                    invocation,
                    DeviceScreens.ChangeOfBlocks(device, "mark-bad", first, blocks),
                    $"{DeviceScreens.BlockRange(first, blocks)}: bad");
                return ExitCode.Ok;
            })
        { path, block, count };
    }

    public static Verb CreateReplace()
    {
        var (path, block, count) = (DeviceArguments.Device(), DeviceArguments.Block(), DeviceArguments.Count());
        return new Verb(
            "replace",
            "Replace bad blocks by blank ones; others stay as they are",
            ["ashlar device replace disk.ashlar 7"],
            async (invocation, cancellationToken) =>
            {
                await using var device = DeviceArguments.Open(invocation, path);
                var (first, blocks) = (invocation.Get(block), invocation.Get(count));
                device.Geometry.CheckRange(device.Name, new Lba(first), blocks);
                long replaced = 0;
                for (var i = first; i < first + blocks; i++)
                    replaced += await device.ReplaceBlockAsync(new Lba(i), cancellationToken) ? 1 : 0;
                DeviceScreens.WriteChange(
                    invocation,
                    DeviceScreens.ChangeOfBlocks(device, "replace", first, blocks),
                    replaced == 0
                        ? $"{DeviceScreens.BlockRange(first, blocks)}: nothing to replace"
                        : $"{DeviceScreens.BlockRange(first, blocks)}: {replaced} replaced, blank now");
                return ExitCode.Ok;
            })
        { path, block, count };
    }
}
