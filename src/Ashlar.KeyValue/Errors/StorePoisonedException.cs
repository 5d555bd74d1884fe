using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// A write or flush of the log or the manifest failed, so what reached the disk is in doubt; or an invariant did not hold, and then so is
/// what the store believes. It goes on reading what was published and refuses every write until it is opened anew, which establishes from
/// the disk what is there.
/// </summary>
public sealed class StorePoisonedException : AshlarException
{
    /// <summary>Creates the error.</summary>
    /// <param name="directory">Directory of the store.</param>
    /// <param name="firstCause">The failure that put it in doubt.</param>
    public StorePoisonedException(string directory, Exception firstCause)
        : base(
            $"{directory}: writes are refused until the store is reopened, because one is in doubt: {firstCause.Message}",
            firstCause)
    {
        Directory = directory;
        FirstCause = firstCause;
    }

    /// <summary>Directory of the store.</summary>
    public string Directory { get; }

    /// <summary>The failure that put the store in doubt; later ones are consequences.</summary>
    public Exception FirstCause { get; }
}
