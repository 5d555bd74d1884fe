namespace Ashlar.KeyValue.Cache;

/// <summary>Finds what must stay for as long as something refers to it by number.</summary>
interface IResourceMap
{
    /// <summary>The resource; nothing is acquired.</summary>
    /// <exception cref="Ashlar.Storage.CorruptDataException">No such resource is there.</exception>
    SharedResource Find(ulong id);
}
