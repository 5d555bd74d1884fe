using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>Where reservations are kept that outlive the server: a directory with a file for each volume that has any.</summary>
sealed class ReservationFiles(IFileSystem fileSystem, string path)
{
    /// <summary>The reservations of a volume.</summary>
    public IReservationStore Of(Guid volume) => new OneFile(fileSystem, path, volume);

    /// <summary>Forgets those of a volume that is no more.</summary>
    public void Forget(Guid volume) => Of(volume).Save(null);

    sealed class OneFile(IFileSystem fileSystem, string directory, Guid volume) : IReservationStore
    {
        readonly string path = $"{directory}/{volume}";

        public ReservationState? Load()
        {
            if (!fileSystem.FileExists(path)) return null;
            using var file = fileSystem.Open(path, FileOpenMode.ReadOnly);
            return RememberedReservations.Decode(file.ReadWhole(), volume, path);
        }

        // Crash order: the new file is durable; it takes the place of the old one; its name is durable. So there is one of both.
        public void Save(ReservationState? state)
        {
            if (state is null)
            {
                if (!fileSystem.FileExists(path)) return;
                fileSystem.Delete(path);
                fileSystem.SyncDirectory(directory);
                return;
            }
            fileSystem.CreateDirectories(directory);
            var fresh = path + ".new";
            using (var file = fileSystem.Open(fresh, FileOpenMode.OpenOrCreate))
            {
                file.SetLength(0); // One that died may have left something.
                file.Write(RememberedReservations.Encode(volume, state), 0);
                file.Sync();
            }
            fileSystem.Rename(fresh, path);
            fileSystem.SyncDirectory(directory);
        }
    }
}
