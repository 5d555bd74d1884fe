using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar volume create</c>.</summary>
static class VolumeCreateCommand
{
    public static Verb Create(Terminal terminal)
    {
        var path = PathArgument.Volume();
        var size = VolumeCommands.Size(terminal, "Size that clients see, in whole blocks: 10GiB, 1.5TiB, 500GB, or bytes");
        var blockSize = BlockSize.Option(terminal, 512);
        var thick = new Option<bool>("--thick") { Description = "Take all space at once, so that writes never run out of it" };
        var limits = new VolumeLimitOptions(terminal);
        var described = new VolumeDescriptionOptions(terminal);
        return new Verb(
            "create",
            "Create a volume; it takes space only as it is written",
            [
                "ashlar volume create vm1 --size 10GiB",
                "ashlar volume create main/db --size 500GB --block-size 4096",
                "ashlar volume create vm2 --size 1.5TiB -o json",
                "ashlar volume create vm3 --size 10GiB --limit-iops 500 --limit-bandwidth 100MiB",
                "ashlar volume create vm4 --size 10GiB --label env=prod --description mail",
            ],
            async (invocation, cancellationToken) =>
            {
                var (pool, name) = invocation.Get(path);
                var blockSizeBytes = invocation.Get(blockSize);
                using var client = ApiClient.For(invocation);
                var request = new CreateVolume
                {
                    Name = name,
                    SizeBytes = BlockSize.RoundUp(invocation, invocation.Get(size), blockSizeBytes),
                    BlockSizeBytes = blockSizeBytes,
                    IsThick = invocation.Get(thick),
                    Limits = limits.Read(invocation),
                    Labels = described.Labels(invocation),
                    Description = invocation.Get(described.Description),
                    TrashSeconds = described.TrashSeconds(invocation) is >= 0 and var seconds ? seconds : null,
                };
                VolumeScreens.WriteCreated(invocation, await client.CreateVolumeAsync(pool, request, cancellationToken));
                return ExitCode.Ok;
            })
        { path, size, blockSize, thick, limits.Iops, limits.Bandwidth, described.Label, described.Description, described.Trash };
    }
}
