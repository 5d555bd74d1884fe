using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar volume rename</c>.</summary>
static class VolumeRenameCommand
{
    public static Verb Create()
    {
        var path = PathArgument.Volume();
        var name = new Argument<string>("NAME") { Description = "The new name, in the same pool" };
        var force = new Option<bool>("--force")
        {
            Description = "Rename also while clients are connected; they reconnect by the new name only",
        };
        return new Verb(
            "rename",
            "Give a volume another name; NBD and iSCSI clients find it by that",
            ["ashlar volume rename vm1 web1"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var request = new ChangeVolume { Name = invocation.Get(name), Force = invocation.Get(force) };
                var volume = await client.ChangeVolumeAsync(invocation.Get(path), request, null, cancellationToken);
                invocation.Write(volume, ApiJson.Strict.Volume, [VolumeScreens.PathOf(volume)], (writer, _) =>
                    writer.WriteLine($"{invocation.Get(path)} is {VolumeScreens.PathOf(volume)} now"));
                return ExitCode.Ok;
            })
        { path, name, force };
    }
}
