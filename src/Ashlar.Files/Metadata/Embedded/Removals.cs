namespace Ashlar.Files;

/// <summary>
/// Names that transactions under way are about to remove from their directories. An implicit directory goes with the last in it, in the
/// same transaction, and of several that remove at once one must find that it is the last.
/// </summary>
/// <remarks>
/// Who removes announces the name here first, then latches the directory, and then looks for something in it that nobody has announced.
/// Where there is something, a shared latch is enough: who removes that later looks later, and finds this name gone or announced. Where
/// there is nothing the directory is latched alone, so that all who shared it have written; then its rows say whether anything is left.
/// </remarks>
sealed class Removals
{
    readonly Lock gate = new();
    readonly Dictionary<(CustomerId Customer, FilePath Path), int> announced = [];

    /// <summary>Announces that a name may go. Dispose what is returned, after the write.</summary>
    public Removal Announce(CustomerId customer, FilePath path)
    {
        var removal = new Removal(this, customer);
        removal.Add(path);
        return removal;
    }

    public bool IsAnnounced(CustomerId customer, FilePath path)
    {
        lock (gate) return announced.ContainsKey((customer, path));
    }

    void Add(CustomerId customer, FilePath path)
    {
        lock (gate) announced[(customer, path)] = announced.GetValueOrDefault((customer, path)) + 1;
    }

    void Withdraw(CustomerId customer, FilePath path)
    {
        lock (gate)
        {
            if (announced[(customer, path)] == 1) announced.Remove((customer, path));
            else announced[(customer, path)]--;
        }
    }

    internal sealed class Removal(Removals owner, CustomerId customer) : IDisposable
    {
        readonly List<FilePath> paths = [];

        /// <summary>Announces another: a directory that may become empty by it.</summary>
        public void Add(FilePath path)
        {
            if (paths.Contains(path)) return;
            owner.Add(customer, path);
            paths.Add(path);
        }

        public void Dispose()
        {
            foreach (var path in paths) owner.Withdraw(customer, path);
            paths.Clear();
        }
    }
}
