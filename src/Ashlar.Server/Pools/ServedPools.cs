namespace Ashlar.Server;

/// <summary>The pools of a server, by name.</summary>
sealed class ServedPools(IReadOnlyList<ServedPool> pools) : IAsyncDisposable
{
    public IReadOnlyList<ServedPool> All { get; } = pools;

    public ServedPool? Find(string name) => All.FirstOrDefault(pool => pool.Name == name);

    public ServedPool Get(string name) =>
        Find(name) ?? throw new ApiException(ProblemKind.PoolNotFound, $"there is no pool {name}");

    /// <summary>Closes every pool, also when one fails; the first failure is raised.</summary>
    public async ValueTask DisposeAsync()
    {
        Exception? failure = null;
        foreach (var pool in All)
        {
            try
            {
                await pool.DisposeAsync();
            }
            catch (Exception e)
            {
                failure ??= e;
            }
        }
        if (failure is not null) throw new AggregateException(failure);
    }
}
