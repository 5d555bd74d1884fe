using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar volume map</c>.</summary>
static class VolumeMapCommand
{
    public static Verb Create()
    {
        var path = PathArgument.Volume();
        var since = new Option<string?>("--since")
        {
            Description = "A snapshot of it: what has changed since is drawn, too",
            HelpName = "SNAPSHOT",
        };
        return new Verb(
            "map",
            "Draw where a volume holds data, and where it was read and written lately",
            ["ashlar volume map vm1", "ashlar volume map vm1 --since monday", "ashlar volume map vm1 -o json"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var cells = VolumeMapPicture.CellsFor(invocation.Terminal.Width);
                var map = await client.GetVolumeMapAsync(invocation.Get(path), cells, invocation.Get(since), cancellationToken);
                var name = new VolumePath(map.Pool, map.Volume).ToString();
                invocation.Write(map, ApiJson.Strict.VolumeMap, [name], (writer, style) =>
                    VolumeMapPicture.Write(writer, style, name, map, VolumeMapPicture.ColumnsFor(invocation.Terminal.Width)));
                return map.UnreadablePieces == 0 ? ExitCode.Ok : ExitCode.Damaged;
            })
        { path, since };
    }
}
