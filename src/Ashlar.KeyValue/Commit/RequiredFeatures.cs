using Ashlar.KeyValue.Errors;
using Ashlar.KeyValue.Manifests;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Commit;

/// <summary>
/// Sees that the manifest names what a write needs of whoever reads it, durably, before the write goes to the log: a program that does
/// not know an entry would take the group for one that was torn, and what follows it for lost.
/// </summary>
sealed class RequiredFeatures(Manifest manifest)
{
    StoreFeatures known;

    /// <summary>Makes sure of features. One leader at a time.</summary>
    /// <exception cref="StorageException">The disk refused; nothing is in doubt.</exception>
    /// <exception cref="InDoubtException">Nobody knows what the manifest says.</exception>
    public void Require(StoreFeatures wanted)
    {
        if ((known & wanted) == wanted) return;
        using (manifest.Gate.Hold())
        {
            try
            {
                if ((manifest.State.Features & wanted) != wanted) manifest.Append(new ManifestEdit { Features = wanted });
            }
            catch (Exception cause) when (manifest.IsInDoubt)
            {
                throw new InDoubtException(cause);
            }

            known = manifest.State.Features;
        }
    }
}
