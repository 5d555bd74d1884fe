using Ashlar.Api;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>What a request makes of what people say of a volume.</summary>
static class VolumeDescribing
{
    const long AsThePool = -1;

    /// <summary>Of a new volume.</summary>
    /// <exception cref="ApiException">It is not possible.</exception>
    public static VolumeAttributes Create(CreateVolume request) => Check(VolumeAttributes.None with
    {
        Description = request.Description ?? "",
        Labels = VolumeAttributes.None.Labels.AddRange(request.Labels ?? VolumeAttributes.None.Labels),
        TrashRetention = Retention(request.TrashSeconds),
    });

    /// <summary>Of a volume that there is: what the request does not name stays.</summary>
    /// <exception cref="ApiException">It is not possible.</exception>
    public static VolumeAttributes Apply(ChangeVolume request, VolumeAttributes present)
    {
        var labels = present.Labels.ToBuilder();
        if (request.Labels is { } asked)
        {
            foreach (var (key, value) in asked)
            {
                if (value is null) labels.Remove(key);
                else labels[key] = value;
            }
        }
        return Check(present with
        {
            Description = request.Description ?? present.Description,
            Labels = labels.ToImmutable(),
            TrashRetention = request.TrashSeconds switch
            {
                null => present.TrashRetention,
                AsThePool => null,
                var seconds => Retention(seconds),
            },
        });
    }

    /// <summary>A time in the trash.</summary>
    /// <exception cref="ApiException">It is not possible.</exception>
    public static TimeSpan? Retention(long? seconds) => seconds switch
    {
        null => null,
        >= 0 when seconds <= VolumeAttributes.MaxTrashRetention.TotalSeconds => TimeSpan.FromSeconds(seconds.Value),
        _ => throw new ApiException(
            ProblemKind.InvalidRequest,
            $"'trashSeconds' is 0 to {VolumeAttributes.MaxTrashRetention.TotalSeconds}, ten years, not {seconds}"),
    };

    static VolumeAttributes Check(VolumeAttributes attributes)
    {
        try
        {
            attributes.Check();
            return attributes;
        }
        catch (ArgumentException e)
        {
            throw new ApiException(ProblemKind.InvalidRequest, e.Message);
        }
    }
}
