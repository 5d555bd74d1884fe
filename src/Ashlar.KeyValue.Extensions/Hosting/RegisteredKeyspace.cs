namespace Ashlar.KeyValue.Extensions.Hosting;

/// <summary>A keyspace that is opened with its store.</summary>
sealed record RegisteredKeyspace(string Name, string ServiceKey);
