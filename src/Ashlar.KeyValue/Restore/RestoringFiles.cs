using Ashlar.KeyValue.Backup;
using Ashlar.KeyValue.Files;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Restore;

/// <summary>Files of a store that is being restored: its manifest has a name by which nobody takes the directory for a store.</summary>
sealed class RestoringFiles(IFileSystem fileSystem, string directory, int maxOpenFiles) : StoreFiles(fileSystem, directory, maxOpenFiles)
{
    protected override string PathOf(string name) => base.PathOf(name == ManifestName ? RestoreTarget.NewManifestName : name);
}
