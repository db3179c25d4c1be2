package index

import (
	"context"
	"slices"

	"sira/dicom/index/jsonmodel"
)

// appendBelow writes a row of a series or an instance, with the attributes of
// what it belongs to where those are not known. Each level counts by its own
// numbers.
func (p *Page) appendBelow(ctx context.Context, dst []byte, r *found, base string, study jsonmodel.Fill) ([]byte, error) {
	own := jsonmodel.Fill{Base: base, Instances: p.instances(r.Row, r.instances)}
	if p.q.Level == SeriesLevel && p.q.Parents > StudyLevel && p.q.More == nil || p.q.Level == InstanceLevel && p.q.Parents > SeriesLevel && p.q.More == nil {
		return own.Append(dst, r.brief), nil
	}
	var objects [][]jsonmodel.Member
	more := r.more
	if p.q.Level == InstanceLevel && p.q.More != nil {
		var err error
		if more, err = p.x.meta(ctx, r.SOP); err != nil {
			return dst, err
		}
		instance := jsonmodel.Fill{Base: base + "/studies/" + r.Study + "/series/" + r.Series + "/instances/" + r.SOP}
		more = string(instance.Append(nil, more))
	}
	objects = append(objects, p.members(r.brief, &own)...)
	objects = append(objects, p.extra(more, &own)...)
	if s := p.series[[2]string{r.Study, r.Series}]; s != nil {
		fill := jsonmodel.Fill{Base: base, Instances: p.instances(r.Row, s.instances)}
		objects = append(objects, p.members(s.brief, &fill)...)
		objects = append(objects, p.extra(s.more, &fill)...)
	}
	if s := p.studies[r.Study]; s != nil {
		objects = append(objects, p.members(s.brief, &study)...)
		objects = append(objects, p.extra(s.more, &study)...)
	}
	return jsonmodel.Merge(dst, nil, objects...), nil
}

// instances is how many instances of the row's series the user sees.
func (p *Page) instances(r Row, all int) int {
	if part := p.q.Visible.partial(r.Study); part != nil {
		return part.count(r.Series, all)
	}
	return all
}

func (p *Page) members(brief string, fill *jsonmodel.Fill) [][]jsonmodel.Member {
	return [][]jsonmodel.Member{jsonmodel.Members(string(fill.Append(nil, brief)))}
}

// extra are the attributes asked for beyond the usual ones.
func (p *Page) extra(more string, fill *jsonmodel.Fill) [][]jsonmodel.Member {
	if p.q.More == nil || more == "" {
		return nil
	}
	members := jsonmodel.Members(string(fill.Append(nil, more)))
	return [][]jsonmodel.Member{slices.DeleteFunc(members, func(m jsonmodel.Member) bool { return !p.q.More(m.Tag) })}
}
