using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ashlar.Api;

/// <summary>How the objects of the API are written: camelCase, absent instead of null, no reflection.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.Strict,
    PropertyNameCaseInsensitive = false,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(Status))]
[JsonSerializable(typeof(RunningServer))]
[JsonSerializable(typeof(Pool))]
[JsonSerializable(typeof(PoolList))]
[JsonSerializable(typeof(Volume))]
[JsonSerializable(typeof(VolumeList))]
[JsonSerializable(typeof(CreateVolume))]
[JsonSerializable(typeof(ChangeVolume))]
[JsonSerializable(typeof(Problem))]
public sealed partial class ApiJson : JsonSerializerContext;
