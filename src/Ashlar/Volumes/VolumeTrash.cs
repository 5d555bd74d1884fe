using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>Finds volumes in the trash.</summary>
static class VolumeTrash
{
    /// <summary>The volume of an id, or else the last that was deleted with a name.</summary>
    /// <exception cref="CommandException">There is none.</exception>
    public static async Task<TrashedVolume> FindAsync(ApiClient client, VolumePath path, CancellationToken cancellationToken) =>
        Find((await client.ListTrashAsync(path.Pool, cancellationToken)).Items, path)
            ?? throw new CommandException(
                ExitCode.NotFound, ProblemTypes.NotInTrash, $"{path} is not in the trash", "ashlar volume trash list");

    /// <summary>The same of a list; null where there is none.</summary>
    public static TrashedVolume? Find(IReadOnlyList<TrashedVolume> trash, VolumePath path) =>
        trash.FirstOrDefault(trashed => trashed.Id.ToString("D") == path.Volume)
            ?? trash.Where(trashed => trashed.Name == path.Volume).MaxBy(trashed => trashed.DeletedAt);

    public static string PathOf(TrashedVolume trashed) => new VolumePath(trashed.Pool, trashed.Name).ToString();
}
