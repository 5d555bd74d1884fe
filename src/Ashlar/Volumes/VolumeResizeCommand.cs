using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar volume resize</c>.</summary>
static class VolumeResizeCommand
{
    public static Verb Create(Terminal terminal)
    {
        var path = PathArgument.Volume();
        var size = VolumeCommands.Size(terminal, "The new size, in whole blocks");
        var allowShrink = new Option<bool>("--allow-shrink")
        {
            Description = "Let the volume become smaller; what lies beyond its new end is lost",
        };
        var force = new Option<bool>("--force") { Description = "Let it become smaller also while clients are connected" };
        return new Verb(
            "resize",
            "Change the size of a volume, also while it is in use",
            ["ashlar volume resize vm1 --size 20GiB", "ashlar volume resize vm1 --size 5GiB --allow-shrink"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var (current, tag) = await client.ReadVolumeAsync(invocation.Get(path), cancellationToken);
                var sizeBytes = BlockSize.RoundUp(invocation, invocation.Get(size), current.BlockSizeBytes);
                if (sizeBytes < current.SizeBytes)
                {
                    if (!invocation.Get(allowShrink)) throw WouldShrink(current, sizeBytes);
                    if (current.Clients.Total > 0 && !invocation.Get(force)) throw VolumeScreens.InUse(current);
                }
                var request = new ChangeVolume
                {
                    SizeBytes = sizeBytes,
                    AllowShrink = invocation.Get(allowShrink),
                    Force = invocation.Get(force),
                };
                var volume = await client.ChangeVolumeAsync(invocation.Get(path), request, tag, cancellationToken);
                invocation.WriteChange(volume, ApiJson.Strict.Volume, [VolumeScreens.PathOf(volume)], (writer, _) =>
                    writer.WriteLine($"{VolumeScreens.PathOf(volume)} has {ByteSize.Format(volume.SizeBytes)} now"));
                return ExitCode.Ok;
            })
        { path, size, allowShrink, force };
    }

    // The server refuses it, too; here it can be said as people write it.
    static CommandException WouldShrink(Volume volume, long sizeBytes) => new(
        ExitCode.Conflict,
        ProblemTypes.WouldShrink,
        $"volume {VolumeScreens.PathOf(volume)} has {ByteSize.Format(volume.SizeBytes)}, which is more than {ByteSize.Format(sizeBytes)}",
        Refusals.WouldShrinkHint);
}
