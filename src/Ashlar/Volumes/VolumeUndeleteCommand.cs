using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar volume undelete</c>.</summary>
static class VolumeUndeleteCommand
{
    public static Verb Create()
    {
        var path = PathArgument.Trashed();
        var name = new Option<string?>("--as") { Description = "The name that it gets [default: the one that it had]", HelpName = "NAME" };
        return new Verb(
            "undelete",
            "Take a volume out of the trash as it was; of several with a name the last that was deleted",
            ["ashlar volume undelete vm1", "ashlar volume undelete vm1 --as vm1-old"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var trashed = await VolumeTrash.FindAsync(client, invocation.Get(path), cancellationToken);
                var request = new RestoreVolume { Name = invocation.Get(name) };
                var volume = await client.RestoreVolumeAsync(trashed.Pool, trashed.Id, request, cancellationToken);
                invocation.WriteChange(volume, ApiJson.Strict.Volume, [VolumeScreens.PathOf(volume)], (writer, _) =>
                    writer.WriteLine($"{VolumeScreens.PathOf(volume)} is back: {ByteSize.Format(volume.SizeBytes)}, "
                        + $"{ByteSize.Format(volume.AllocatedBytes)} used"));
                return ExitCode.Ok;
            })
        { path, name };
    }
}
