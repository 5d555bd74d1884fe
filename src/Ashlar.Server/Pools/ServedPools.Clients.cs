namespace Ashlar.Server;

sealed partial class ServedPools
{
    /// <summary>Ends what clients do that are not let in any more.</summary>
    public void CutOffUnwanted()
    {
        foreach (var pool in All) pool.CutOffUnwanted();
    }

    /// <summary>A volume by its identity; null where it is in none of the pools that are served.</summary>
    public (ServedPool Pool, string Volume)? FindVolume(Guid id)
    {
        foreach (var pool in All)
            if (pool.List().FirstOrDefault(volume => volume.Id == id) is { } found) return (pool, found.Name);
        return null;
    }
}
