using Ashlar.KeyValue.Extensions.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Ashlar.KeyValue.Extensions.Options;

/// <summary>Stores by their names within a program; the default one has an empty name.</summary>
static class StoreNames
{
    public static string Describe(string name) => name.Length == 0 ? "key-value store" : $"key-value store '{name}'";

    public static bool IsRegistered(IServiceCollection services, string name) =>
        services.Any(one => one.IsKeyedService && one.ServiceType == typeof(OpenedStore) && name.Equals(one.ServiceKey));
}
