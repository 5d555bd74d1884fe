using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>
/// What the server remembers of its pools: a directory of records. A pool is there if and only if its record is.
/// </summary>
sealed class PoolRegistry(IFileSystem fileSystem, string path) : RecordDirectory<RememberedPool>(fileSystem, path)
{
    /// <summary>Whether nothing was ever remembered here: data of an earlier program, which had one pool.</summary>
    public bool IsUntouched => NextNumber() == 1;

    /// <summary>The pool of data that an earlier program left.</summary>
    public static RememberedPool Main(IEntropySource entropy) => new()
    {
        Number = 1,
        Name = DataDirectory.MainPool,
        Directory = DataDirectory.MainPool,
        SetId = entropy.NextGuid(),
        Devices = [RememberedDevice.Within],
    };
}
