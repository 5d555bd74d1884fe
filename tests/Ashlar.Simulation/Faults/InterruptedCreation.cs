using Ashlar.Storage;

namespace Ashlar.Simulation;

/// <summary>
/// A process dies, or its sync of a directory fails, between creating something and making its names durable. Another takes over what
/// it finds, in the page cache only, and writes to it; then power fails.
/// </summary>
public static class InterruptedCreation
{
    const int Losses = 20;

    /// <summary>Lets the first sync of a directory fail, then the second, and so on to the last.</summary>
    /// <param name="create">Creates it.</param>
    /// <param name="put">Opens it, or creates it where there is none, and writes a key durably.</param>
    /// <param name="contains">Opens it and says whether a key is there.</param>
    /// <returns>Syncs that failed.</returns>
    public static int Sweep(Action<IFileSystem> create, Action<IFileSystem, string> put, Func<IFileSystem, string, bool> contains)
    {
        SimulatedFileSystem disk = null!;
        return FaultSweep.Run(
            new FaultRule(FaultOperations.SyncDirectory, FaultKind.InputOutputError),
            () => disk = new SimulatedFileSystem(),
            faulty =>
            {
                try
                {
                    create(faulty);
                }
                catch (StorageException)
                {
                    // Here it died.
                }

                faulty.Heal();
                put(faulty, "key");
                for (var seed = 1UL; seed <= Losses; seed++)
                {
                    put(disk.LosePower(seed), "more");
                    if (!contains(disk.LosePower(seed), "key")) throw new InvalidDataException($"the key is lost by loss {seed}");
                }
            });
    }
}
