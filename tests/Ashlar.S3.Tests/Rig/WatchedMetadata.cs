using System.Reflection;
using Ashlar.Files;

namespace Ashlar.S3.Tests;

/// <summary>
/// Metadata of which a test hears each call, before it is made and when it has been: there it does what others do meanwhile.
/// </summary>
public class WatchedMetadata : DispatchProxy
{
    IMetadataStore store = null!;

    /// <summary>Called with the name of what is called.</summary>
    public Action<string>? Before { get; set; }

    /// <inheritdoc cref="Before"/>
    public Action<string>? After { get; set; }

    /// <summary>For tests that count.</summary>
    public int Described { get; set; }

    public static IMetadataStore Of(IMetadataStore store, out WatchedMetadata watched)
    {
        var proxy = Create<IMetadataStore, WatchedMetadata>();
        watched = (WatchedMetadata)(object)proxy;
        watched.store = store;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        Before?.Invoke(targetMethod!.Name);
        // Simulated disks answer at once.
        var result = targetMethod!.Invoke(store, BindingFlags.DoNotWrapExceptions, null, args, null);
        After?.Invoke(targetMethod.Name);
        return result;
    }
}
